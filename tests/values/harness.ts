// A server whose calls, events and topics take any value, and clients over an in-memory network on a simulated clock.
import { profile20 } from "@hawser/server/profile20"
import { createClient, defineTopic } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions, TopicHistoryLimits } from "@hawser/server"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"

const anything = z.unknown()
const call = { input: anything, output: anything }

export const contract = defineContract({
  name: "values",
  commands: { echo: call, make: call },
  queries: { look: call },
  streams: { watch: { input: anything, item: anything } },
  events: {
    note: { payload: anything },
    where: { payload: anything, delivery: "volatile" },
    last: { payload: anything, delivery: "volatile", key: () => "one" },
  },
  topics: { room: defineTopic({ events: ["note", "where"], presence: anything }) },
  errors: { not_enough: z.looseObject({}), not_yet: z.looseObject({}) },
})
export type ValuesClient = Client<typeof contract>

export interface World {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly server: Server<typeof contract, { readonly id: string }>
  readonly serverErrors: unknown[]
  readonly clientErrors: unknown[]
  /** Inputs of the handler of `echo`, in order. */
  readonly handled: unknown[]
  /** For `make`: returns the handler's result, or throws. */
  readonly made: { make: (input: unknown) => unknown }
  client(token: string, options?: Partial<ClientOptions>): ValuesClient
  open(token: string, options?: Partial<ClientOptions>): Promise<ValuesClient>
}

export interface WorldOptions {
  readonly profile?: Profile
  readonly limits?: Partial<ServerLimits>
  readonly latencyMs?: number
  readonly history?: Partial<TopicHistoryLimits>
  readonly server?: Partial<ServerOptions<typeof contract, { readonly id: string }>>
}

export function createWorld(options: WorldOptions = {}): World {
  const { profile = "hawser.1", limits = {}, latencyMs = 1, history } = options
  const clock = new SimulatedClock()
  const serverErrors: unknown[] = []
  const clientErrors: unknown[] = []
  const handled: unknown[] = []
  const made: World["made"] = { make: (input) => input }
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate: (token) => ({ id: token }),
    clock,
    limits,
    onError: (error) => serverErrors.push(error),
    ...options.server,
  })
  server.command("echo", ({ input }) => {
    handled.push(input)
    return input
  })
  server.command("make", ({ input }) => made.make(input))
  server.query("look", ({ input }) => input)
  server.stream("watch", ({ input }) => [made.make(input)])
  const everybody = { canJoin: () => true, canPublish: () => true }
  server.topicKind("room", history === undefined ? everybody : { ...everybody, history })
  const random = seededRandom(1)
  const network = createMemoryNetwork({ clock, latencyMs, accept: server.accept })
  const client = (token: string, overrides: Partial<ClientOptions> = {}): ValuesClient =>
    createClient(contract, {
      url: "memory:",
      token,
      ...clientProfile(profile),
      clock,
      random,
      dial: network.dial,
      autoConnect: false,
      onError: (error) => clientErrors.push(error),
      ...overrides,
    })
  return {
    ...{ clock, network, server, serverErrors, clientErrors, handled, made, client },
    async open(token, overrides) {
      const opened = client(token, overrides)
      const connected = opened.connect()
      await clock.advance(100)
      await connected
      return opened
    },
  }
}

/** A promise's value, or its error as `code: message`, after the clock has advanced. */
export async function settled<T>(world: World, promise: Promise<T>, ms = 200): Promise<T | string> {
  const outcome = promise.then(
    (value) => value,
    (error: unknown) => textOf(error),
  )
  await world.clock.advance(ms)
  return outcome
}

/** Error of a call, as `code: message`; undefined if it throws none. */
export function thrownBy(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return textOf(error)
  }
}

function textOf(error: unknown): string {
  return HawserError.is(error) ? `${error.code}: ${error.message}` : String(error)
}

/** A value of this number of nested containers. */
export function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 1; level < depth; level += 1) value = [value]
  return value
}

/** Values that the other end's guard refuses, with the code and the path of the refusal. */
export const poison: readonly (readonly [name: string, value: unknown, code: string, path: string])[] = [
  ["a long key", { votes: { ["k".repeat(139)]: 3 } }, "invalid_input", `votes["${"k".repeat(64)}"…]`],
  ["__proto__", JSON.parse('{"items":[1,{"__proto__":2}]}'), "invalid_input", "items[1].__proto__"],
  ["containers", { deep: nested(32) }, "invalid_input", `deep${"[0]".repeat(15)}…`],
  ["a bigint", { items: [{}, {}, {}, { name: 5n }] }, "invalid_input", "items[3].name"],
  ["half a pair", { "a b": "cut \ud83d" }, "invalid_input", `["a b"]`],
  ["undefined", [1, undefined], "invalid_input", "[1]"],
  ["a Map", { map: new Map() }, "invalid_input", "map"],
  ["an invalid date", { at: new Date(Number.NaN) }, "invalid_input", "at"],
]
