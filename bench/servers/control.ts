// The servers' side of the benchmark's control channel: sends its port, and reads its own CPU time and memory on
// request. Every server uses it, so that all are measured in the same way.
import { z } from "zod"
import { JournalProfile } from "./journal-profile.ts"

const serverSettings = z.object({
  /** HMAC secret of the tokens. */
  secret: z.string(),
  /** Purpose of the server: separate programs serve messages and the world. */
  purpose: z.enum(["messages", "world", "journal"]),
  /** Clients that must connect before the world starts. */
  playerCount: z.number(),
  /** Folder for files of this trial, which later processes of it find. */
  folder: z.string(),
})

export type ServerSettings = z.infer<typeof serverSettings>

export interface RunningServer {
  readonly port: number
  /** Starts ticking, in the world. */
  start?(): void
  /**
   * Stops ticking; returns the time at which each tick was due and began, in `clockMs`, by its number. A server with a journal
   * returns the CPU time of each turn of its event loop since it listened, in milliseconds.
   */
  stop?(): readonly number[]
}

const call = z.object({
  id: z.number(),
  name: z.enum(["sample", "start", "stop", "profile", "share"]),
  /** Collect garbage before reading the memory. */
  collect: z.boolean(),
})

export const sample = z.object({
  atMs: z.number(),
  /** User and system time of all threads. */
  cpuMs: z.number(),
  rssBytes: z.number(),
  /** Live objects, and the memory outside the heap that they hold. */
  heapBytes: z.number(),
})

export type Sample = z.infer<typeof sample>

/** The wall clock with fractions: the same in all processes of a machine. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now()
}

async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error("start the server with --expose-gc")
  // Finalizers of the first run release objects that the second run can collect.
  for (let run = 0; run < 3; run += 1) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function takeSample(collect: boolean): Promise<Sample> {
  if (collect) await collectGarbage()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    atMs: performance.now(),
    cpuMs: (user + system) / 1000,
    rssBytes: rss,
    heapBytes: heapUsed + external,
  }
}

/** Ends a server that fails: a benchmark would wait for its answer without end. */
function endFailed(error: unknown): never {
  console.error(error)
  process.exit(1)
}

/** Starts a server and serves its control channel until the benchmark disconnects. */
export async function serveBenchmark(
  start: (settings: ServerSettings) => Promise<RunningServer>,
): Promise<void> {
  const settings = serverSettings.parse(JSON.parse(process.argv[2] ?? "{}"))
  const running = await start(settings)
  const journalProfile = new JournalProfile()
  const answer = async (message: unknown): Promise<void> => {
    const { id, name, collect } = call.parse(message)
    let value: unknown = null
    if (name === "sample") value = await takeSample(collect)
    else if (name === "start") running.start?.()
    else if (name === "profile") await journalProfile.start()
    else if (name === "share") value = await journalProfile.stop()
    else value = running.stop?.() ?? []
    process.send?.({ id, value })
  }
  process.on("message", (message) => {
    answer(message).catch(endFailed)
  })
  // `exit` also writes the profile, if one was requested.
  process.on("disconnect", () => process.exit(0))
  process.send?.({ port: running.port })
}
