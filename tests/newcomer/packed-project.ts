// A project of a newcomer: the packed packages in an empty folder, without the repository's sources. Other packages are links to
// those of the repository, so that no test needs a registry.
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

export const repository = join(import.meta.dirname, "../..")
/** Packages that the README tells a newcomer to install, and the compiler's types. */
const installed = ["zod", "ws", "jose", "typescript", "tsx", "@types/ws", "@types/node"]

/** Settings of a strict project. `skipLibCheck` is off: the declarations of the packages are checked, too. */
const compilerOptions = {
  target: "es2022",
  lib: ["es2024", "dom", "dom.iterable"],
  module: "nodenext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  skipLibCheck: false,
  outDir: "out",
}

export interface Compiled {
  readonly status: number
  readonly output: string
}

/** One folder with `package.json`, `tsconfig.json` and `node_modules`. */
export class PackedProject {
  readonly folder = mkdtempSync(join(tmpdir(), "newcomer-"))
  readonly #children = new Set<ChildProcess>()

  /** @param tarballs folder with the packed packages. */
  constructor(tarballs: string) {
    this.write("package.json", JSON.stringify({ name: "my-game", private: true, type: "module" }))
    this.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }))
    for (const tarball of readdirSync(tarballs)) this.#unpack(join(tarballs, tarball))
    for (const name of installed) this.#link(name)
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text)
  }

  compile(): Compiled {
    try {
      const output = execFileSync(
        join(this.folder, "node_modules/typescript/bin/tsc"),
        ["--pretty", "false"],
        {
          cwd: this.folder,
          encoding: "utf8",
        },
      )
      return { status: 0, output }
    } catch (error) {
      const output = error instanceof Error && "stdout" in error ? String(error.stdout) : String(error)
      return { status: 1, output }
    }
  }

  /** Runs a file: the compiled one of a TypeScript file, or plain JavaScript itself. */
  run(file: string, env: NodeJS.ProcessEnv): RunningProgram {
    const program = file.endsWith(".ts") ? join("out", file.replace(/\.ts$/, ".js")) : file
    const child = spawn(process.execPath, [program], {
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
    })
    this.#children.add(child)
    return new RunningProgram(child)
  }

  /** Ends all programs and removes the folder. */
  remove(): void {
    for (const child of this.#children) child.kill("SIGKILL")
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Unpacks a package, and links its dependencies. */
  #unpack(tarball: string): void {
    const parts = join(this.folder, "unpacked")
    mkdirSync(parts, { recursive: true })
    execFileSync("tar", ["-xzf", tarball, "-C", parts])
    const manifest: unknown = JSON.parse(readFileSync(join(parts, "package/package.json"), "utf8"))
    const { name, dependencies } = manifestOf(manifest)
    const place = join(this.folder, "node_modules", name)
    mkdirSync(dirname(place), { recursive: true })
    execFileSync("mv", [join(parts, "package"), place])
    for (const dependency of dependencies) if (!dependency.startsWith("@hawser/")) this.#link(dependency)
  }

  #link(name: string): void {
    const place = join(this.folder, "node_modules", name)
    if (existsSync(place)) return
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(repository, "node_modules", name), place)
  }
}

function manifestOf(manifest: unknown): { readonly name: string; readonly dependencies: readonly string[] } {
  if (typeof manifest !== "object" || manifest === null || !("name" in manifest))
    throw new Error("no manifest")
  const dependencies: unknown = "dependencies" in manifest ? manifest.dependencies : undefined
  const names = typeof dependencies === "object" && dependencies !== null ? Object.keys(dependencies) : []
  return { name: String(manifest.name), dependencies: names }
}

/** A program of a sample, with all that it has printed. */
export class RunningProgram {
  output = ""
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString()
      })
  }

  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** Waits until the program has printed the text. */
  async prints(text: string): Promise<void> {
    for (let waitedMs = 0; !this.output.includes(text); waitedMs += 20) {
      if (waitedMs > 20_000) throw new Error(`"${text}" was not printed, but:\n${this.output}`)
      await sleep(20)
    }
  }

  async ends(): Promise<number | null> {
    for (let waitedMs = 0; this.#child.exitCode === null; waitedMs += 20) {
      if (waitedMs > 20_000) throw new Error(`the program does not end; it printed:\n${this.output}`)
      await sleep(20)
    }
    return this.#child.exitCode
  }
}

/** Builds and packs the packages. Returns the folder of the tarballs. */
export function pack(): string {
  const tarballs = mkdtempSync(join(tmpdir(), "tarballs-"))
  const packages = ["protocol", "client", "server"].map((name) => `packages/${name}`)
  execFileSync(join(repository, "node_modules/.bin/tsc"), ["-b", ...packages], { cwd: repository })
  const workspaces = packages.flatMap((path) => ["--workspace", path])
  execFileSync("npm", ["pack", "--silent", ...workspaces, "--pack-destination", tarballs], {
    cwd: repository,
  })
  return tarballs
}
