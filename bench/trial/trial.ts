// Environment of a scenario: the server, the connected clients, and measured windows of time.
import { performance } from "node:perf_hooks"
import { Connection } from "../load/connection.ts"
import type { Dialect } from "../load/driver.ts"
import type { ServerEntry } from "../servers.ts"
import type { Sample } from "../servers/control.ts"
import { dialectOf } from "./dialects.ts"
import { Watch } from "./watch.ts"
import type { ServerProcess } from "./server-process.ts"
import { tokenOf } from "./tokens.ts"

/** Figures of one window; every scenario adds its own. */
export interface WindowFigures {
  readonly seconds: number
  /** CPU time of the server. */
  readonly serverCpuMs: number
  /** Shares of the time (0 to 1) that the server's CPU and the load were busy. */
  readonly serverBusy: number
  readonly loadBusy: number
}

const flushEveryMs = 500

export class Trial {
  #server: ServerProcess
  readonly connections: Connection[] = []
  readonly entry: ServerEntry
  readonly #dialect: Dialect
  readonly #lost: string[] = []
  readonly #flusher: NodeJS.Timeout
  readonly #watch: Watch
  /** Clients whose loss is part of the scenario. */
  readonly mayBeLost = new Set<number>()

  /** Records the messages of the clients with an index below this number. */
  recordedCount = 0

  /** @param hasOwnCore true if the load has a core for itself: then it does not sleep. */
  constructor(server: ServerProcess, entry: ServerEntry, hasOwnCore: boolean) {
    this.#server = server
    this.entry = entry
    this.#watch = new Watch(hasOwnCore)
    this.#dialect = dialectOf(entry.dialect)
    this.#flusher = setInterval(() => {
      for (const { driver } of this.connections) driver.flush()
    }, flushEveryMs)
  }

  /** Connects clients until there are `total`, at most `parallel` at a time. */
  async connect(total: number, parallel = 64): Promise<void> {
    let next = this.connections.length
    const dial = async (): Promise<void> => {
      while (next < total) {
        const index = next
        next += 1
        const connection = new Connection({
          index,
          port: this.server.port,
          token: tokenOf(index),
          dialect: this.#dialect,
          onWork: () => this.#watch.worked(),
          onLost: ({ index: lost }, reason) => {
            if (!this.mayBeLost.has(lost)) this.#lost.push(`connection ${lost}: ${reason}`)
          },
        })
        if (index < this.recordedCount) connection.record = []
        this.connections[index] = connection
        await connection.open()
      }
    }
    await Promise.all(Array.from({ length: parallel }, dial))
  }

  get server(): ServerProcess {
    return this.#server
  }

  /** Kills the server, which all clients lose, and starts another process. Returns its time from start to listening, in milliseconds. */
  async restart(): Promise<number> {
    for (const { index } of this.connections) this.mayBeLost.add(index)
    await this.#server.kill()
    const startMs = performance.now()
    this.#server = await this.#server.startAnother()
    return performance.now() - startMs
  }

  /** Opens a window; the returned function closes it. */
  async measure(): Promise<() => Promise<WindowFigures>> {
    const before = await this.server.sample()
    const startedMs = performance.now()
    const idleMs = this.#watch.idleMs()
    return async () => {
      const ms = performance.now() - startedMs
      const loadBusy = 1 - (this.#watch.idleMs() - idleMs) / ms
      return { seconds: ms / 1000, loadBusy, ...used(before, await this.server.sample()) }
    }
  }

  /** @throws when a client lost its connection: its measurements are then invalid. */
  check(): void {
    if (this.#lost.length > 0)
      throw new Error(`${this.#lost.length} connections were lost; ${this.#lost[0] ?? ""}`)
  }

  async end(): Promise<void> {
    this.#watch.end()
    clearInterval(this.#flusher)
    for (const connection of this.connections) connection.close()
    await this.server.end()
  }
}

function used(before: Sample, after: Sample): Pick<WindowFigures, "serverCpuMs" | "serverBusy"> {
  const serverCpuMs = after.cpuMs - before.cpuMs
  return { serverCpuMs, serverBusy: serverCpuMs / (after.atMs - before.atMs) }
}

/** Bytes that all clients together have received. */
export function bytesOf({ connections }: Trial): number {
  return connections.reduce((sum, { bytesIn }) => sum + bytesIn, 0)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until `condition` holds. @throws after the timeout, with the text of `describe`. */
export async function until(
  condition: () => boolean,
  describe: () => string,
  timeoutMs = 20_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(describe())
    await pause(5)
  }
}
