// The server of one trial: a separate process on a separate core, and the channel over which it reports its CPU time
// and memory.
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import { programOf } from "../servers.ts"
import type { ServerEntry } from "../servers.ts"
import { sample } from "../servers/control.ts"
import type { Sample, ServerSettings } from "../servers/control.ts"

const message = z.union([z.object({ port: z.number() }), z.object({ id: z.number(), value: z.unknown() })])

export interface ServerProcessOptions {
  readonly entry: ServerEntry
  readonly settings: ServerSettings
  /** Prefix of the command that pins it to a core; empty where that is not possible. */
  readonly pin: readonly string[]
  /** Where to write a CPU profile when the server ends. */
  readonly profileDirectory?: string
}

const bun = fileURLToPath(new URL("../peers/node_modules/.bin/bun", import.meta.url))
const startTimeoutMs = 20_000

export class ServerProcess {
  readonly port: number
  readonly #options: ServerProcessOptions
  readonly #child: ChildProcess
  readonly #calls = new Map<number, (value: unknown) => void>()
  #id = 0

  private constructor(options: ServerProcessOptions, child: ChildProcess, port: number) {
    this.#options = options
    this.port = port
    this.#child = child
    child.on("message", (received) => {
      const parsed = message.parse(received)
      if ("id" in parsed) this.#calls.get(parsed.id)?.(parsed.value)
    })
  }

  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const [command = "", ...words] = commandOf(options)
    const child = spawn(command, words, {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // Node resolves `tsx` from this directory.
      cwd: options.entry.checkout,
      // Bun uses JSON on the channel.
      serialization: "json",
      env: { ...process.env, NODE_ENV: "production" },
    })
    const signal = AbortSignal.timeout(startTimeoutMs)
    const started: unknown[] = await Promise.race([
      once(child, "message", { signal }),
      once(child, "exit", { signal }).then(([code]: unknown[]) => {
        throw new Error(`the server ended with code ${String(code)} before it listened`)
      }),
    ])
    const { port } = z.object({ port: z.number() }).parse(started[0])
    child.once("exit", (code) => {
      if (child.connected) throw new Error(`the server ended with code ${code}`)
    })
    return new ServerProcess(options, child, port)
  }

  /** @param collect collects garbage first, for memory that is really in use. */
  async sample({ collect = false } = {}): Promise<Sample> {
    return sample.parse(await this.#call("sample", collect))
  }

  async startWorld(): Promise<void> {
    await this.#call("start", false)
  }

  async stopWorld(): Promise<number[]> {
    return z.array(z.number()).parse(await this.#call("stop", false))
  }

  /** Begins a profile of the share of the journal in the server's CPU time. */
  async startProfile(): Promise<void> {
    await this.#call("profile", false)
  }

  /** Returns that share, 0 to 1. */
  async stopProfile(): Promise<number> {
    return z.number().parse(await this.#call("share", false))
  }

  /** CPU time of each turn of the event loop of a server that keeps a journal, in milliseconds. */
  async turnsMs(): Promise<number[]> {
    return await this.stopWorld()
  }

  /** Resolves when the process has ended. */
  end(): Promise<void> {
    return this.#end(() => this.#child.disconnect())
  }

  /** Kills the process. Resolves when it has ended. */
  kill(): Promise<void> {
    return this.#end(() => this.#child.kill("SIGKILL"))
  }

  /** Starts a process like this one. Resolves when it listens. */
  startAnother(): Promise<ServerProcess> {
    return ServerProcess.start(this.#options)
  }

  async #end(how: () => void): Promise<void> {
    this.#child.removeAllListeners("exit")
    const ended = once(this.#child, "exit")
    how()
    await ended
  }

  #call(name: string, collect: boolean): Promise<unknown> {
    this.#id += 1
    const id = this.#id
    return new Promise((resolve) => {
      this.#calls.set(id, (value) => {
        this.#calls.delete(id)
        resolve(value)
      })
      this.#child.send({ id, name, collect })
    })
  }
}

function commandOf({ entry, settings, pin, profileDirectory }: ServerProcessOptions): string[] {
  const program = programOf(entry, settings.purpose) ?? ""
  const profile = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`]
  const runtime =
    entry.runtime === "bun"
      ? [bun, "--expose-gc"]
      : [process.execPath, "--expose-gc", ...profile, "--import", "tsx"]
  return [...pin, ...runtime, program, JSON.stringify(settings)]
}
