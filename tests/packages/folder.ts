// A folder with the packed packages, as `npm install` of their tarballs makes it. Their dependencies are links to this clone's.
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as z from "zod"

export const root = join(import.meta.dirname, "../..")
export const packageNames = ["protocol", "client", "server"] as const

/** Packages that consumers and ours depend on. `@types/ws` is none of them: our types must not need it. */
const linked = ["@standard-schema/spec", "@types/node", "jose", "prom-client", "undici-types", "ws", "zod"]

const packResult = z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })
type PackResult = z.infer<typeof packResult>
/** npm 12 answers with an object by name, earlier ones with a list. */
const packResults = z.union([z.array(packResult), z.record(z.string(), packResult)])

const manifest = z.looseObject({
  version: z.string(),
  keywords: z.array(z.string()),
  exports: z.record(z.string(), z.record(z.string(), z.string())),
})

/** Packs a package into `folder`, and returns the paths of its files. */
function pack(name: string, folder: string): PackResult {
  const args = ["pack", "--json", "--offline", "--ignore-scripts", "--pack-destination", folder]
  const output = execFileSync("npm", args, { cwd: join(root, "packages", name), encoding: "utf8" })
  const [result] = Object.values(packResults.parse(JSON.parse(output)))
  if (result === undefined) throw new Error(`npm pack of ${name} returned nothing: ${output}`)
  return result
}

/** Makes the folder. `remove` deletes it. */
export function consumerFolder() {
  const folder = mkdtempSync(join(tmpdir(), "hawser-consumer-"))
  const modules = join(folder, "node_modules")
  const files = new Map<string, readonly string[]>()
  for (const name of packageNames) {
    const packed = pack(name, folder)
    files.set(
      name,
      packed.files.map(({ path }) => path),
    )
    const target = join(modules, "@hawser", name)
    mkdirSync(target, { recursive: true })
    execFileSync("tar", ["-xzf", join(folder, packed.filename), "--strip-components", "1", "-C", target])
  }
  for (const name of linked) {
    const target = join(modules, name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(root, "node_modules", name), target)
  }
  writeFileSync(join(folder, "package.json"), `{ "name": "consumer", "type": "module" }`)
  cpSync(join(import.meta.dirname, "consumer.fixture.ts"), join(folder, "consumer.ts"))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  return { folder, files, remove }
}

export function manifestOf(name: string): z.infer<typeof manifest> {
  return manifest.parse(JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")))
}
