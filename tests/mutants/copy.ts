// A temporary copy of the sources for the mutants' mistakes. The product must not know it.
import { cp, mkdir, mkdtemp, readFile, readdir, readlink, symlink, writeFile } from "node:fs/promises"
import { existsSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { applied, byFile } from "./mutant.ts"
import type { Mutant } from "./mutant.ts"

export const repository = fileURLToPath(new URL("../..", import.meta.url))

const copied = ["packages", "tests", "scripts", "vitest.config.ts", "tsconfig.base.json", "package.json"]
const leftOut = new Set(["node_modules", "dist", "output"])
/** Workspaces are linked to their copies instead. */
const workspaces = "@hawser"

export class SourceCopy {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  static async make(): Promise<SourceCopy> {
    const copy = new SourceCopy(await mkdtemp(join(tmpdir(), "hawser-mutants-")))
    for (const name of copied) {
      await cp(join(repository, name), join(copy.root, name), {
        recursive: true,
        filter: (path) => !leftOut.has(basename(path)),
      })
    }
    await copy.#linkDependencies()
    return copy
  }

  async #linkDependencies(): Promise<void> {
    const from = join(repository, "node_modules")
    const to = join(this.root, "node_modules")
    await mkdir(join(to, workspaces), { recursive: true })
    for (const name of await readdir(from)) {
      if (name !== workspaces && !name.startsWith(".")) await symlink(join(from, name), join(to, name))
    }
    for (const name of await readdir(join(from, workspaces))) {
      const target = await readlink(join(from, workspaces, name))
      if (existsSync(join(to, workspaces, target))) await symlink(target, join(to, workspaces, name))
    }
  }

  /** Makes the mistakes of a mutant; the returned function reverts them. */
  async mutate(mutant: Mutant): Promise<() => Promise<void>> {
    const before: { readonly path: string; readonly source: string }[] = []
    const restore = async (): Promise<void> => {
      for (const { path, source } of before) await writeFile(path, source)
    }
    try {
      for (const [file, edits] of byFile(mutant)) {
        const path = join(this.root, file)
        const source = await readFile(path, "utf8")
        const mutated = applied(source, edits)
        before.push({ path, source })
        await writeFile(path, mutated)
      }
    } catch (error) {
      await restore()
      throw new Error(`"${mutant.name}" no longer fits`, { cause: error })
    }
    return restore
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
