// The world's server as a separate process: started from source, ready after its opening line, stopped by signals. It
// can be started repeatedly on the same port and data. Must not know the world's messages.
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
/** Arguments of Node that run the world. */
export const programs = {
  source: ["-C", "@hawser/source", "--import", loader, join(root, "apps/world/src/server/main.ts")],
  compiled: [join(root, "apps/world/dist/server/main.js")],
} as const

/** Long, because a slow start on a loaded machine is no fault of the world. */
const startMs = 30_000
const opened = /^The world is open: (\S+)$/m

export type Environment = Readonly<Record<string, string>>

export interface Exit {
  /** Null if a signal ended the process. */
  readonly code: number | null
  readonly stderr: string
}

export interface WorldProcessOptions {
  /** Added to the environment, which otherwise contains only PATH and the settings of the test. */
  readonly env?: Environment
  /** Program to run; default source. */
  readonly program?: keyof typeof programs
  /** Default 0: any free port, kept over restarts. */
  readonly port?: number
}

/** Secret of every world without another one in its environment. */
export const jwtSecret = "a secret of the tests, which is not one"

/** A server with a temporary folder for its data, not started yet. */
export class WorldProcess {
  /** Working folder; the server's data is in `data`. */
  readonly folder = mkdtempSync(join(tmpdir(), "hawser-world-"))
  readonly #options: WorldProcessOptions
  #port: number
  #child: ChildProcess | undefined
  #exit: Promise<Exit> | undefined
  #output = ""
  readonly #outputWatchers = new Set<() => void>()

  constructor(options: WorldProcessOptions = {}) {
    this.#options = options
    this.#port = options.port ?? 0
  }

  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.#port}/ws`
  }

  /** Process id of the running process or the last one; undefined before the first start. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Standard output and standard error of the server, over all starts. */
  get output(): string {
    return this.#output
  }

  /** Runs the program and resolves when it ends, for programs that refuse to start. */
  async run(): Promise<Exit> {
    return await this.#spawn()
  }

  /** Starts the server and resolves after its opening line. */
  async start(): Promise<void> {
    const from = this.#output.length
    const exit = this.#spawn()
    const url = await Promise.race([
      this.waitForOutput(opened, from),
      exit.then(({ code, stderr }) => {
        throw new Error(`the world ended with ${code} before it was open:\n${stderr}`)
      }),
    ])
    this.#port = Number(new URL(url).port)
  }

  /** Sends SIGTERM, or another signal, and does not wait. */
  signal(name: NodeJS.Signals = "SIGTERM"): void {
    this.#child?.kill(name)
  }

  /** Resolves when the running process ends, with its exit; at once after the end. */
  async exit(): Promise<Exit> {
    if (this.#exit === undefined) throw new Error("the world was never started")
    return await this.#exit
  }

  /** Sends SIGTERM and waits for the exit. */
  async stop(): Promise<Exit> {
    this.signal("SIGTERM")
    return await this.exit()
  }

  /** Sends SIGKILL and waits for the exit: the process can neither print nor save anything. */
  async kill(): Promise<Exit> {
    this.signal("SIGKILL")
    return await this.exit()
  }

  /** Ends the process if it runs, and removes the folder. */
  async remove(): Promise<void> {
    if (this.#exit !== undefined) await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Resolves to the first group of `pattern`, or to the whole match, once the output matches from `from` on. */
  waitForOutput(pattern: RegExp, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#outputWatchers.delete(look)
      }
      const look = (): void => {
        const match = pattern.exec(this.#output.slice(from))
        if (match === null) return
        finish()
        resolve(match[1] ?? match[0])
      }
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`no ${String(pattern)} within ${startMs} ms; the output was:\n${this.#output}`))
      }, startMs)
      this.#outputWatchers.add(look)
      look()
    })
  }

  #spawn(): Promise<Exit> {
    const { env, program = "source" } = this.#options
    const child = spawn(process.execPath, programs[program], {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        HOST: "127.0.0.1",
        PORT: String(this.#port),
        JWT_SECRET: jwtSecret,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    })
    // A test run that is aborted leaves no server behind.
    const killWithUs = (): void => void child.kill("SIGKILL")
    process.once("exit", killWithUs)
    let stderr = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => this.#write(text))
    this.#child = child
    this.#exit = once(child, "close").then(() => {
      process.off("exit", killWithUs)
      return { code: child.exitCode, stderr }
    })
    return this.#exit
  }

  #write(text: string): void {
    this.#output += text
    for (const look of [...this.#outputWatchers]) look()
  }
}

/** Returns a server that is open. */
export async function startWorld(options: WorldProcessOptions = {}): Promise<WorldProcess> {
  const world = new WorldProcess(options)
  try {
    await world.start()
  } catch (error) {
    await world.remove()
    throw error
  }
  return world
}
