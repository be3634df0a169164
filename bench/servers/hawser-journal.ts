// Hawser over `ws` with a journal in mode `kill`: its cost is the difference to `hawser`.
import { fileJournal } from "@hawser/server/journal"
import { join } from "node:path"
import { serveBenchmark } from "./control.ts"
import type { RunningServer } from "./control.ts"
import { createBenchServer } from "./hawser-app.ts"

/** Turns that are watched after the start: enough for a round of all sessions. */
const turnsMax = 20_000

/** Newer than the types of the oldest Node. */
declare global {
  namespace NodeJS {
    interface Process {
      threadCpuUsage?(): CpuUsage
    }
  }
}

/** Measures the CPU time of the first turns of the event loop. Node 20 lacks the clock of a thread: then of the process. */
class Turns {
  readonly #cpuMs: number[] = []
  #last = cpuMs()
  #isOver = false

  watch(): void {
    const nowMs = cpuMs()
    this.#cpuMs.push(nowMs - this.#last)
    this.#last = cpuMs()
    if (!this.#isOver && this.#cpuMs.length < turnsMax) setImmediate(() => this.watch())
  }

  stop(): readonly number[] {
    this.#isOver = true
    return this.#cpuMs
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1_000
}

await serveBenchmark(async (settings): Promise<RunningServer> => {
  const journal = fileJournal(join(settings.folder, "journal"))
  const { port } = await createBenchServer(settings, { journal }).listen({ host: "127.0.0.1" })
  if (settings.purpose !== "journal") return { port }
  const turns = new Turns()
  turns.watch()
  return { port, stop: () => turns.stop() }
})
