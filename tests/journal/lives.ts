// A server on a simulated disk that is killed and started again, among clients on a simulated network.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { Server, ServerOptions } from "@hawser/server"
import { FileEngine } from "../../packages/server/src/journal/file-engine.ts"
import type { JournalFiles } from "../../packages/server/src/journal/journal-files.ts"
import type { JournalOption } from "../../packages/server/src/journal/server-journal.ts"
import { SimulatedDisk } from "../../packages/server/src/journal/simulated-files.ts"
import { boundlessDials, contract, createWorld, epochMs } from "../faults/harness.ts"
import type { TestContract, TestUser, World } from "../faults/harness.ts"

export interface Lives {
  readonly clock: SimulatedClock
  readonly disk: SimulatedDisk
  /** The current process. */
  readonly world: World
  /** Starts the first or the next process. */
  start(options?: Partial<ServerOptions<TestContract, TestUser>>): Promise<Server<TestContract, TestUser>>
  /** Ends the process at once: nothing that it does later reaches the disk or a client. */
  kill(): void
  client(options?: Partial<ClientOptions>): Client<TestContract>
}

/** Returns a journal of small rounds on these files. */
function journalOn(clock: SimulatedClock, files: JournalFiles): JournalOption {
  const wallClockMs = (): number => epochMs + clock.now()
  return {
    resumeKey: Buffer.alloc(32, 7),
    limits: { roundBytes: 20_000, roundDeliveries: 10_000, stepMs: 0 },
    createEngine: () =>
      new FileEngine({
        mode: "kill",
        files,
        origin: { host: "h", boot: "b" },
        lock: () => Promise.resolve({ generation: 1, release: () => {} }),
        syncEveryMs: 100,
        after: (ms, run) => clock.schedule(ms, run),
        now: () => clock.now(),
        wallClockMs,
      }),
  }
}

export function lives(): Lives {
  const clock = new SimulatedClock()
  const disk = new SimulatedDisk(() => epochMs + clock.now())
  let world: World | undefined
  let end = (): void => {}
  let accepts = false
  let count = 0
  const network = createMemoryNetwork({
    clock,
    latencyMs: 10,
    accept(accepted) {
      if (world === undefined) throw new Error("no process")
      return world.server.accept(accepted)
    },
  })
  const current = (): World => {
    if (world === undefined) throw new Error("no process has started")
    return world
  }
  return {
    clock,
    disk,
    get world() {
      return current()
    },
    async start(options = {}) {
      const files = disk.files()
      count += 1
      const name = count
      let ids = 0
      world = createWorld({
        profile: "hawser.1",
        order: "none",
        clock,
        server: { journal: journalOn(clock, files), sessionId: () => `session-${name}-${++ids}`, ...options },
      })
      end = () => files.end()
      await world.server.recover()
      accepts = true
      network.listening = accepts
      return world.server
    },
    kill() {
      end()
      accepts = false
      network.listening = false
      for (const link of network.links) link.cut()
    },
    client: (options = {}) =>
      createClient(contract, {
        url: "memory:",
        token: "ann",
        clock,
        random: seededRandom(1),
        dial: network.dial,
        autoConnect: false,
        limits: boundlessDials,
        ...options,
      }),
  }
}
