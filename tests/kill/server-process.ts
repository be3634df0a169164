// The killed server's process: builds its program once, starts it, and ends it in each way. Must not know clients.
import { build } from "esbuild"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { serverReport } from "./contract.ts"
import type { ServerReport, ServerSettings } from "./contract.ts"

/** Ways in which a process dies. */
export const deaths = ["sigkill", "memory", "disk", "term"] as const
export type Death = (typeof deaths)[number]

export type Listening = Extract<ServerReport, { kind: "listening" }>

/** Enough for the sessions; a process that keeps more dies of it within seconds. */
const heapMib = 96
/** Longest time in which a process must listen, or end. */
const patienceMs = 60_000

/** Bundles the server into one file of `folder`, so that a start takes as long as an application's. Returns its path. */
export async function buildServer(folder: string): Promise<string> {
  const outfile = join(folder, "server.cjs")
  await build({
    entryPoints: [fileURLToPath(new URL("server.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "cjs",
    conditions: ["@hawser/source"],
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "error",
    outfile,
  })
  return outfile
}

export class ServerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>
  /** Resolves with the first report once the process listens. Rejects if it ends before. */
  readonly listening: Promise<Listening>
  #isKilled = false

  constructor(
    program: string,
    settings: ServerSettings,
    how: { readonly runtime: string; readonly onError: (text: string) => void },
  ) {
    const heap = how.runtime === process.execPath ? [`--max-old-space-size=${heapMib}`] : []
    const child = spawn(how.runtime, [...heap, program, JSON.stringify(settings)], {
      // The report of a process that dies of its memory is long.
      stdio: ["ignore", "pipe", "ignore"],
    })
    this.#child = child
    this.#exited = once(child, "exit")
    this.listening = new Promise((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        const content = serverReport.parse(JSON.parse(line))
        if (content.kind === "listening") resolve(content)
        else how.onError(content.text)
      })
      child.once("exit", (code, signal) => {
        const error = new Error(`the server ended with ${signal ?? code}`)
        reject(error)
        if (!this.#isKilled) how.onError(error.message)
      })
    })
    // A process may be killed before it listens.
    this.listening.catch(() => {})
  }

  /** Ends the process, and returns its exit code or signal after its end. */
  async die(death: Death): Promise<unknown> {
    this.#isKilled = true
    this.#child.kill(death === "term" ? "SIGTERM" : death === "memory" ? "SIGUSR2" : "SIGKILL")
    const late = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs)
    const [code, signal] = await this.#exited
    clearTimeout(late)
    return signal ?? code
  }
}
