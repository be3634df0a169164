// A project of a newcomer: the packed packages in an empty folder, without the repository's sources.
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Packed } from "../packages/packed.ts"

/** Packages that the READMEs tell a newcomer to install, and the compiler's types. */
const installed = [
  ...["zod", "ws", "jose", "typescript", "tsx", "@types/ws", "@types/node"],
  ...["react", "react-dom", "@types/react", "@types/react-dom", "@tanstack/react-query", "happy-dom"],
]

/** Settings of a strict project. `skipLibCheck` is off: the declarations of the packages are checked, too. */
const compilerOptions = {
  target: "es2022",
  lib: ["es2024", "dom", "dom.iterable"],
  jsx: "react-jsx",
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
  readonly folder: string
  readonly #children = new Set<ChildProcess>()

  constructor(packed: Packed) {
    this.folder = packed.installed(installed)
    this.write("package.json", JSON.stringify({ name: "my-game", private: true, type: "module" }))
    this.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts", "*.tsx"] }))
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

  /** Runs a compiled file, or a module that is none. */
  run(file: string, env: NodeJS.ProcessEnv): RunningProgram {
    const child = spawn(
      process.execPath,
      [file.endsWith(".ts") ? join("out", file.replace(/\.ts$/, ".js")) : file],
      {
        cwd: this.folder,
        env: { ...process.env, NODE_OPTIONS: "", ...env },
      },
    )
    this.#children.add(child)
    return new RunningProgram(child)
  }

  /** Ends all programs and removes the folder. */
  remove(): void {
    for (const child of this.#children) child.kill("SIGKILL")
    rmSync(this.folder, { recursive: true, force: true })
  }
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
