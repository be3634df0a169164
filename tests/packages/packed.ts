// The packed packages in a folder of their own, as `npm install` of their tarballs makes it. Other packages are links to those of this
// clone, so that no test needs a registry.
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as z from "zod"

export const root = join(import.meta.dirname, "../..")
export const packageNames = ["protocol", "client", "server", "react"] as const

const packResult = z.object({
  name: z.string(),
  filename: z.string(),
  files: z.array(z.object({ path: z.string() })),
})
/** npm 12 answers with an object by name, earlier ones with a list. */
const packResults = z.union([z.array(packResult), z.record(z.string(), packResult)])

const manifest = z.looseObject({
  name: z.string(),
  version: z.string(),
  keywords: z.array(z.string()),
  exports: z.record(z.string(), z.record(z.string(), z.string())),
  dependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
})
export type Manifest = z.infer<typeof manifest>

/** The tarballs of all packages. */
export interface Packed {
  /** Paths of the files in a package, by its name without the scope. */
  readonly files: ReadonlyMap<string, readonly string[]>
  /**
   * Makes a folder with the packages and their dependencies in `node_modules`. @param others further packages, as links.
   */
  installed(others: readonly string[]): string
  /** Deletes the tarballs and all folders. */
  remove(): void
}

/** Builds and packs all packages. */
export function pack(): Packed {
  const tarballs = mkdtempSync(join(tmpdir(), "hawser-tarballs-"))
  const folders = [tarballs]
  const paths = packageNames.map((name) => `packages/${name}`)
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-b", ...paths], { cwd: root })
  const args = ["pack", "--json", "--offline", "--ignore-scripts", "--pack-destination", tarballs]
  const workspaces = paths.flatMap((path) => ["--workspace", path])
  const output = execFileSync("npm", [...args, ...workspaces], { cwd: root, encoding: "utf8" })
  const results = Object.values(packResults.parse(JSON.parse(output)))
  const filesOf = ({ files }: (typeof results)[number]): string[] => files.map(({ path }) => path)
  return {
    files: new Map(results.map((result) => [result.name.replace("@hawser/", ""), filesOf(result)])),
    installed(others) {
      const folder = mkdtempSync(join(tmpdir(), "hawser-consumer-"))
      folders.push(folder)
      for (const { name, filename } of results) unpack(join(tarballs, filename), placeOf(folder, name))
      const needed = packageNames.flatMap((name) => Object.keys(manifestOf(name).dependencies))
      for (const name of [...needed, ...others]) link(folder, name)
      return folder
    },
    remove() {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function manifestOf(name: string): Manifest {
  return manifest.parse(JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")))
}

/** Makes the folder above a package, and returns the package's own. */
function placeOf(folder: string, name: string): string {
  const place = join(folder, "node_modules", name)
  mkdirSync(dirname(place), { recursive: true })
  return place
}

function unpack(tarball: string, place: string): void {
  mkdirSync(place)
  execFileSync("tar", ["-xzf", tarball, "--strip-components", "1", "-C", place])
}

function link(folder: string, name: string): void {
  const place = placeOf(folder, name)
  if (!existsSync(place)) symlinkSync(join(root, "node_modules", name), place)
}
