// A server on a simulated disk that is killed and started again, among clients on a simulated network.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import type { Clock, Contract } from "@hawser/protocol"
import { SimulatedClock, SimulatedProcess, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { ServerConnection } from "@hawser/protocol/core"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import type { Server } from "@hawser/server"
import { FileEngine } from "../../packages/server/src/journal/file-engine.ts"
import type { JournalFiles } from "../../packages/server/src/journal/journal-files.ts"
import type { JournalOption } from "../../packages/server/src/journal/server-journal.ts"
import { SimulatedDisk } from "../../packages/server/src/journal/simulated-files.ts"
import { boundlessDials, contract, createWorld, epochMs } from "../faults/harness.ts"
import type { TestContract, TestUser, World } from "../faults/harness.ts"

/** Options of `createServer` in one life. */
interface LifeOptions {
  readonly clock: Clock
  readonly journal: JournalOption
  readonly wallClockMs: () => number
  readonly sessionId: () => string
}

/** Returns a journal of small rounds on these files. */
export function journalOn(clock: Clock, files: JournalFiles): JournalOption {
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

/** Output of a server at the moment in which it leaves. */
export type Output =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }

/** Returns the connection with an observer of its output. */
function tapped(connection: ServerConnection, onOutput: (output: Output) => void): ServerConnection {
  return {
    get isOpen() {
      return connection.isOpen
    },
    get bufferedBytes() {
      return connection.bufferedBytes
    },
    awaitDrain: () => connection.awaitDrain?.(),
    send(message) {
      onOutput({ kind: "message", bytes: message.bytes })
      return connection.send(message)
    },
    close(code, reason) {
      onOutput({ kind: "close", code, reason })
      connection.close(code, reason)
    },
    terminate: () => connection.terminate(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    ...(connection.ping === undefined ? {} : { ping: () => connection.ping?.() }),
  }
}

/** Processes of one server, one after the other. */
export class Lives<C extends Contract, User extends { readonly id: string }> {
  readonly clock = new SimulatedClock()
  readonly disk = new SimulatedDisk(() => epochMs + this.clock.now())
  readonly #contract: C
  readonly #create: (options: LifeOptions) => Server<C, User>
  readonly #network: MemoryNetwork
  /** Called before each output of the server leaves. */
  onOutput: (output: Output) => void = () => {}
  #server: Server<C, User> | undefined
  #end = (): void => {}
  #count = 0

  constructor(shared: C, create: (options: LifeOptions) => Server<C, User>) {
    this.#contract = shared
    this.#create = create
    const { clock } = this
    this.#network = createMemoryNetwork({
      clock,
      latencyMs: 10,
      accept: (accepted) =>
        this.server.accept({
          ...accepted,
          connection: tapped(accepted.connection, (output) => this.onOutput(output)),
        }),
    })
  }

  /** Server of the current process. */
  get server(): Server<C, User> {
    if (this.#server === undefined) throw new Error("no process has started")
    return this.#server
  }

  /** Starts the first or the next process. */
  async start(): Promise<void> {
    const { disk } = this
    const files = disk.files()
    const clock = new SimulatedProcess(this.clock)
    this.#count += 1
    const name = this.#count
    let ids = 0
    this.#server = this.#create({
      clock,
      journal: journalOn(clock, files),
      wallClockMs: () => epochMs + clock.now(),
      sessionId: () => `session-${name}-${++ids}`,
    })
    this.#end = () => {
      files.end()
      clock.kill()
    }
    await this.#server.recover()
    this.#network.listening = true
  }

  /** Ends the process at once: nothing that it does later reaches the disk or a client. */
  kill(): void {
    this.#end()
    this.#network.listening = false
    for (const link of this.#network.links) link.cut()
  }

  /** @param seed of its random numbers: clients with one seed have one identity. */
  client(token: string, seed = 1, options: Partial<ClientOptions> = {}): Client<C> {
    return createClient(this.#contract, {
      url: "memory:",
      token,
      clock: this.clock,
      random: seededRandom(seed),
      dial: this.#network.dial,
      autoConnect: false,
      limits: boundlessDials,
      ...options,
    })
  }

  async connect(client: Client<C>): Promise<void> {
    const connected = client.connect()
    await this.clock.advance(100)
    await connected
  }
}

/** Processes of the server of the fault tests. `world` returns the current one. */
export function faultLives(): {
  readonly process: Lives<TestContract, TestUser>
  readonly world: () => World
} {
  let world: World | undefined
  const process: Lives<TestContract, TestUser> = new Lives(contract, (server) => {
    world = createWorld({ profile: "hawser.1", order: "none", clock: process.clock, server })
    return world.server
  })
  return {
    process,
    world() {
      if (world === undefined) throw new Error("no process has started")
      return world
    },
  }
}
