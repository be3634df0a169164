// Bundles the page and its worker from source, in memory.
import { fileURLToPath } from "node:url"
import { build, defaultClientConditions } from "vite"

const folder = fileURLToPath(new URL("page/", import.meta.url))

/** File names and their code: `main.js`, `worker.js` and their common chunks. */
export async function buildPage(): Promise<ReadonlyMap<string, string>> {
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    resolve: { conditions: ["@hawser/source", ...defaultClientConditions] },
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      target: "es2023",
      rolldownOptions: {
        input: { main: `${folder}main.ts`, worker: `${folder}worker.ts` },
        output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
      },
    },
  })
  const outputs = Array.isArray(result) ? result : [result]
  const files = outputs.flatMap((one) => ("output" in one ? one.output : []))
  return new Map(files.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file.code]] : [])))
}
