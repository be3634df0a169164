// Real clients and a real server over simulated links: rate, latency, and a kernel's send buffer that the server cannot
// see. A world of walkers changes with every tick. A viewer's age is the difference between the world's time and its
// copy.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { defaultServerLimits, defineContract, defineReplica, integer, real, text } from "@hawser/protocol"
import { TypeTable, createFrameCodec, outbound } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { Dial } from "@hawser/protocol/core"
import { SimulatedClock, SimulatedNetwork, SimulatedProcess, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import { z } from "zod"

const mib = 1024 * 1024
export const tickMs = 50

const contract = defineContract({
  name: "links",
  commands: { echo: { input: z.object({ n: z.number() }), output: z.object({ n: z.number() }) } },
  events: {
    note: { payload: z.object({ n: z.number() }) },
    mood: {
      payload: z.object({ who: z.number(), atMs: z.number() }),
      delivery: "volatile",
      key: ({ who }) => String(who),
    },
    spark: { payload: z.object({ n: z.number() }), delivery: "volatile" },
  },
  replicas: {
    walkers: defineReplica({
      fields: {
        x: real({ min: 0, max: 1_000, step: 0.25 }),
        y: real({ min: 0, max: 1_000, step: 0.25 }),
        look: text(),
      },
    }),
    time: defineReplica({ fields: { atMs: integer() } }),
  },
})
type LinksContract = typeof contract

export interface Player {
  readonly client: Client<LinksContract>
  /** Round trips of its requests, in milliseconds. */
  readonly roundTripsMs: number[]
  /** Age of its copy at each tick since its first snapshot. */
  readonly agesMs: number[]
}

export interface LinksOptions {
  readonly players: number
  readonly walkers: number
  /** Text of each walker; changes with every tick if `looksChange`. */
  readonly lookLength?: number
  readonly looksChange?: boolean
  readonly bitsPerSecond: number
  readonly latencyMs: number
  readonly limits?: Partial<ServerLimits>
  /** True: clients of the wire version before acknowledged state. */
  readonly areOld?: boolean
  /** True: they send no requests, so that only state is acknowledged. */
  readonly areSilent?: boolean
  /** Limits of the clients. Default: those of the world. */
  readonly clientClock?: (clock: Clock) => Clock
}

export class LinksWorld {
  readonly clock = new SimulatedClock()
  readonly network: SimulatedNetwork
  readonly server: Server<LinksContract, { readonly id: string }>
  readonly players: readonly Player[]
  readonly errors: unknown[] = []
  readonly #random = seededRandom(7)
  readonly #options: LinksOptions

  constructor(options: LinksOptions) {
    const { bitsPerSecond, latencyMs, limits = {}, players } = options
    const { clock, errors } = this
    this.#options = options
    this.network = new SimulatedNetwork({
      clock,
      random: seededRandom(1),
      weather: {
        latencyMs: { least: latencyMs, most: latencyMs },
        dialMs: { least: latencyMs, most: latencyMs },
        slowShare: 1,
        slowBytesPerMs: bitsPerSecond / 8_000,
        sendBufferBytes: 2 * mib,
        windowBytes: 8 * mib,
      },
    })
    this.server = createServer(contract, {
      authenticate: (id) => ({ id }),
      clock,
      limits,
      onError: (error) => errors.push(error),
    })
    this.server.command("echo", ({ input }) => input)
    this.network.serve(new SimulatedProcess(clock), this.server.accept)
    this.tick()
    this.server.onSession(({ session }) => {
      this.server.replica("walkers").view(session)
      this.server.replica("time").view(session)
    })
    this.players = Array.from({ length: players }, (_, index) => this.#player(`player ${index}`))
  }

  #player(token: string): Player {
    const { network, errors } = this
    const { areOld = false, clientClock = (clock: Clock) => clock } = this.#options
    const clock = clientClock(this.clock)
    const dial = network.dialFrom(new SimulatedProcess(this.clock), token)
    const client = createClient(contract, {
      url: "ws://simulated",
      token,
      clock,
      random: this.#random,
      dial: areOld ? withoutLimits(dial) : dial,
      autoConnect: false,
      onError: (error) => errors.push(error),
    })
    // The status shows its failure.
    client.connect().catch(() => {})
    return { client, roundTripsMs: [], agesMs: [] }
  }

  /** Moves every walker by one step, and advances the world's time. */
  tick(): void {
    const { walkers: count, lookLength = 0, looksChange = false } = this.#options
    const walkers = this.server.replica("walkers")
    for (let index = 0; index < count; index += 1) {
      const id = `w${index}`
      const known = walkers.get(id)
      const step = (from = this.#random() * 1_000): number =>
        Math.min(1_000, Math.max(0, from + this.#random() * 8 - 4))
      const look = known === undefined || looksChange ? this.#look(lookLength) : known.look
      walkers.set(id, { x: step(known?.x), y: step(known?.y), look })
    }
    this.server.replica("time").set("now", { atMs: Math.round(this.clock.now()) })
    this.server.flush()
  }

  #look(length: number): string {
    return String.fromCharCode(97 + this.#random() * 26).repeat(length)
  }

  /** Runs the world, and `each` in every tick. Samples ages; each player sends a request every two seconds. */
  async run(ms: number, each: (tick: number) => void = () => {}): Promise<void> {
    const { clock } = this
    const { areSilent = false } = this.#options
    for (let tick = 0; tick * tickMs < ms; tick += 1) {
      this.tick()
      each(tick)
      await clock.advance(tickMs)
      for (const [index, player] of this.players.entries()) {
        const time = player.client.replica("time").get("now")
        if (time !== undefined) player.agesMs.push(clock.now() - time.atMs)
        if (!areSilent && (tick + index) % (2_000 / tickMs) === 0) this.#ask(player)
      }
    }
  }

  #ask({ client, roundTripsMs }: Player): void {
    const atMs = this.clock.now()
    client.command("echo", { n: atMs }, { timeoutMs: 120_000 }).then(
      () => roundTripsMs.push(this.clock.now() - atMs),
      (error: unknown) => this.errors.push(error),
    )
  }

  /** Returns all ages, and all round trips. */
  get figures(): { readonly agesMs: readonly number[]; readonly roundTripsMs: readonly number[] } {
    return {
      agesMs: this.players.flatMap(({ agesMs }) => agesMs),
      roundTripsMs: this.players.flatMap(({ roundTripsMs }) => roundTripsMs),
    }
  }

  /** Drops all samples. */
  sampleAnew(): void {
    for (const { agesMs, roundTripsMs } of this.players) {
      agesMs.length = 0
      roundTripsMs.length = 0
    }
  }

  /** Sets the rate of the links, in both directions. */
  setRate(bitsPerSecond: number): void {
    for (const socket of this.network.sockets)
      for (const side of ["client", "server"] as const)
        socket.pipeFrom(side).line.bytesPerMs = bitsPerSecond / 8_000
  }
}

/** Dials as a client without the readers' limits and without acknowledged state. */
function withoutLimits(dial: Dial): Dial {
  const codec = createFrameCodec(new TypeTable([]), defaultServerLimits.message)
  return (url, protocols, events) => {
    const connection = dial(url, protocols, events)
    const send = connection.send.bind(connection)
    connection.send = (message) => {
      const frame = codec.decode(message.bytes, 0)
      if (frame.kind !== "hello" && frame.kind !== "ack") return send(message)
      const { limits: _limits, contract: _contract, ...old } = { limits: 0, contract: 0, ...frame }
      const bare = old.kind === "ack" ? { kind: old.kind, handled: old.handled } : old
      return send(outbound(codec.encode(bare)))
    }
    return connection
  }
}

export const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0)
