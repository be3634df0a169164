// Share of a server's CPU time in its journal: a CPU profile of the process, taken by itself. Must not know scenarios.
import { Session } from "node:inspector/promises"
import type { Profiler } from "node:inspector"

/** Files of the journal, from source and as built. */
const journalPath = /\/server\/(?:src|dist)\/journal\//
const samplingMicroseconds = 200
/** Samples that no function is charged with: left out, so that the share is rather too high than too low. */
const idleNames = new Set(["(idle)", "(program)", "(garbage collector)"])

export class JournalProfile {
  readonly #session = new Session()

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post("Profiler.enable")
    await this.#session.post("Profiler.setSamplingInterval", { interval: samplingMicroseconds })
    await this.#session.post("Profiler.start")
  }

  /** Returns the share, 0 to 1, of functions of the journal with everything that they call. */
  async stop(): Promise<number> {
    const { profile } = await this.#session.post("Profiler.stop")
    this.#session.disconnect()
    return journalShareOf(profile)
  }
}

/** Returns the share of the busy samples that have a function of the journal on their stack. */
export function journalShareOf({ nodes }: Pick<Profiler.Profile, "nodes">): number {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  let [busy, journal] = [0, 0]
  const visit = (node: Profiler.ProfileNode, isBelow: boolean): void => {
    const isJournal = isBelow || journalPath.test(node.callFrame.url)
    const hits = idleNames.has(node.callFrame.functionName) ? 0 : (node.hitCount ?? 0)
    busy += hits
    if (isJournal) journal += hits
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child !== undefined) visit(child, isJournal)
    }
  }
  const [root] = nodes
  if (root !== undefined) visit(root, false)
  return busy === 0 ? 0 : journal / busy
}
