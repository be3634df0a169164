// Two real ends over an in-memory socket on a simulated clock, in either profile.
import { profile20 } from "@hawser/server/profile20"
import { createClient } from "@hawser/client"
import type { Client, ClientOptions, ClientStatus } from "@hawser/client"
import { HawserError, defineContract, defineTopic } from "@hawser/protocol"
import type { Contract, ServerLimits } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions } from "@hawser/server"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"

export const profiles: readonly Profile[] = ["hawser.1", "2.0"]

export const contract = defineContract({
  name: "faults",
  commands: {
    echo: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) },
    slow: { input: z.object({ ms: z.number() }), output: z.object({ ms: z.number() }) },
    fail: { input: z.object({}), output: z.object({}) },
    limited: {
      input: z.object({ ok: z.literal(true) }),
      output: z.object({}),
      limit: { everyMs: 1000, burst: 2 },
    },
    never: { input: z.object({}), output: z.object({}) },
  },
  queries: {
    look: { input: z.object({}), output: z.object({ seen: z.number() }) },
    /** Without a handler: the test sets its own. */
    secret: { input: z.object({}), output: z.object({}) },
  },
  events: {
    note: { payload: z.object({ text: z.string() }) },
    where: {
      payload: z.object({ who: z.string(), x: z.number() }),
      delivery: "volatile",
      key: ({ who }) => who,
    },
  },
  errors: { auth_player_not_found: null, banned: z.object({ days: z.number() }) },
  /** Subscribed by the server alone. */
  topics: { room: defineTopic({ events: ["note"] }), map: defineTopic({ events: ["where"] }) },
})

export type TestContract = typeof contract
export interface TestUser {
  readonly id: string
  readonly expiresAtMs?: number
}

/** Limits of a client whose dials only its strategy delays: for tests that cut more often than any network. */
export const boundlessDials = { dialBurst: 1_000, dialsPerMinute: 1_000_000 }

/** Wall-clock milliseconds since 1970 when a world's clock reads 0. */
export const epochMs = 1_700_000_000_000

export interface World {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly server: Server<TestContract, TestUser>
  readonly serverErrors: unknown[]
  readonly clientErrors: unknown[]
  /** Inputs of the handlers, in order. */
  readonly handled: string[]
  /** A client that does not dial by itself. Tokens are user names; "bad…" is refused. */
  client(options?: Partial<ClientOptions>): Client<TestContract>
  /** Returns a client with another contract; one of the type `Contract` lets any name and input compile. */
  clientOf<C extends Contract>(other: C, options?: Partial<ClientOptions>): Client<C>
}

export interface WorldOptions {
  readonly profile: Profile
  readonly latencyMs?: number
  readonly limits?: Partial<ServerLimits>
  readonly server?: Partial<ServerOptions<TestContract, TestUser>>
  /** Order of the commands `slow` and `never`. Default `session`. */
  readonly order?: "session" | "none"
  /** The clock of another world, which runs in parallel. */
  readonly clock?: SimulatedClock
}

export function createWorld(options: WorldOptions): World {
  const { profile, latencyMs = 0, limits = {}, order = "session", clock = new SimulatedClock() } = options
  const serverErrors: unknown[] = []
  const clientErrors: unknown[] = []
  const handled: string[] = []
  let ids = 0
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate,
    clock,
    limits,
    wallClockMs: () => epochMs + clock.now(),
    sessionId: () => `session-${++ids}`,
    onError: (error) => serverErrors.push(error),
    ...options.server,
  })
  server.command("echo", ({ input }) => {
    handled.push(input.text)
    return input
  })
  server.command(
    "slow",
    { order },
    ({ input, signal }) =>
      new Promise((resolve, reject) => {
        clock.schedule(input.ms, () => resolve(input))
        signal.addEventListener("abort", () => reject(signal.reason))
      }),
  )
  server.command("fail", () => {
    throw new Error("a fault of the handler")
  })
  server.command("limited", () => ({}))
  server.command("never", { order }, () => new Promise(() => {}))
  server.query("look", () => ({ seen: handled.length }))
  const network = createMemoryNetwork({ clock, latencyMs, accept: server.accept })
  const random = seededRandom(1)
  const clientOf = <C extends Contract>(other: C, overrides: Partial<ClientOptions> = {}): Client<C> =>
    createClient(other, {
      url: "memory:",
      token: "ann",
      ...clientProfile(profile),
      clock,
      random,
      dial: network.dial,
      autoConnect: false,
      onError: (error) => clientErrors.push(error),
      ...overrides,
    })
  return {
    clock,
    network,
    server,
    serverErrors,
    clientErrors,
    handled,
    clientOf,
    client: (overrides) => clientOf(contract, overrides),
  }
}

function authenticate(token: string): TestUser {
  if (token.startsWith("bad")) throw new HawserError("auth_token_invalid")
  if (token.startsWith("broken")) throw new Error("the store is down")
  return { id: token }
}

/** Connects and waits until the client is open. */
export async function openClient(
  world: World,
  options: Partial<ClientOptions> = {},
): Promise<Client<TestContract>> {
  const client = world.client(options)
  await connect(world, client)
  return client
}

export async function connect<C extends Contract>(world: World, client: Client<C>): Promise<void> {
  const connected = client.connect()
  await world.clock.settle()
  await connected
}

export function watchStatus(client: Client<TestContract>): ClientStatus[] {
  const seen: ClientStatus[] = []
  client.onStatus((status) => seen.push(status))
  return seen
}

/** Rejection of a promise that must reject, as the error that it must be. */
export async function rejection(promise: Promise<unknown>): Promise<HawserError> {
  try {
    await promise
  } catch (error) {
    if (HawserError.is(error)) return error
    throw error
  }
  throw new Error("expected a rejection")
}
