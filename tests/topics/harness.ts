// A server with four kinds of topics, and clients over an in-memory network: a chat with history and presence, a lobby
// with neither, a board with replicas, and a vault without rules.
import { profile20 } from "@hawser/server/profile20"
import { createClient, defineTopic } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { defineContract, defineReplica, integer, text } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions, TopicHistoryLimits, TopicRules } from "@hawser/server"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"

export const contract = defineContract({
  name: "topics",
  events: {
    chatMessage: { payload: z.object({ text: z.string().max(2_000) }) },
    typing: { payload: z.object({ user: z.string() }), delivery: "volatile" },
    cursor: {
      payload: z.object({ user: z.string(), x: z.number() }),
      delivery: "volatile",
      key: ({ user }) => user,
    },
    weather: { payload: z.object({ kind: z.string() }) },
  },
  topics: {
    chat: defineTopic({
      events: ["chatMessage", "typing", "cursor"],
      presence: z.object({ mood: z.string() }),
    }),
    lobby: defineTopic({ events: ["chatMessage"] }),
    vault: defineTopic({ events: ["chatMessage"] }),
    board: defineTopic({
      events: ["chatMessage"],
      replicas: {
        cursors: defineReplica({ fields: { x: integer(), name: text() } }),
        hands: defineReplica({ fields: { card: text() }, visibleTo: "owner" }),
        pieces: defineReplica({
          fields: { x: integer(), y: integer() },
          area: { x: "x", y: "y", cellSize: 10, range: 0 },
        }),
      },
    }),
  },
  errors: { banned_here: null },
})
type TopicContract = typeof contract
export type TopicClient = Client<TopicContract>

interface TestUser {
  readonly id: string
  readonly isGuest: boolean
}

type Rules<K extends "chat" | "lobby" | "board"> = TopicRules<TestUser, TopicContract, K>

export interface World {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly errors: unknown[]
  /** The current server. */
  server: Server<TopicContract, TestUser>
  /** Replaces the server by a new one, without a shutdown. */
  restart(): void
  open(token: string, options?: Partial<ClientOptions>): Promise<TopicClient>
}

export interface WorldOptions {
  readonly limits?: Partial<ServerLimits>
  readonly profile?: Profile
  readonly latencyMs?: number
  readonly history?: Partial<TopicHistoryLimits>
  readonly chat?: Rules<"chat">
  readonly lobby?: Rules<"lobby">
  readonly board?: Rules<"board">
  readonly server?: Partial<ServerOptions<TopicContract, TestUser>>
}

const everybody = { canJoin: () => true, canPublish: () => true }

export function createWorld({
  limits = {},
  profile = "hawser.1",
  latencyMs = 1,
  history = {},
  ...rest
}: WorldOptions = {}): World {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const start = (): Server<TopicContract, TestUser> => {
    const server = createServer(contract, {
      profile20: profile20(),
      authenticate: (token) => ({ id: token.replace(/^guest /, ""), isGuest: token.startsWith("guest ") }),
      clock,
      limits,
      onError,
      ...rest.server,
    })
    server.topicKind("chat", { ...everybody, history, ...rest.chat })
    server.topicKind("lobby", { ...everybody, ...rest.lobby })
    server.topicKind("board", { ...everybody, ...rest.board })
    return server
  }
  const random = seededRandom(1)
  const world: World = {
    clock,
    errors,
    server: start(),
    network: createMemoryNetwork({ clock, latencyMs, accept: (accepted) => world.server.accept(accepted) }),
    restart() {
      world.server = start()
      for (const link of world.network.links) link.cut()
    },
    async open(token, options = {}) {
      const client = createClient(contract, {
        url: "memory:",
        token,
        ...clientProfile(profile),
        clock,
        random,
        dial: world.network.dial,
        autoConnect: false,
        onError,
        ...options,
      })
      const connected = client.connect()
      await clock.advance(200)
      await connected
      return client
    },
  }
  return world
}

/** Outcome of a promise, after the clock has advanced. */
export async function settled<T>(world: World, promise: Promise<T>, ms = 200): Promise<T | string> {
  const outcome = promise.then(
    (value) => value,
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  )
  await world.clock.advance(ms)
  return outcome
}

export function sessionOf(world: World, user: string) {
  const [session] = world.server.local.sessions(user)
  if (session === undefined) throw new Error(`${user} has no session`)
  return session
}

/** Records all events of a room, as short lines. */
export function listen(client: TopicClient, name: "chat:a" | "chat:b" | "lobby"): string[] {
  const room = client.topic(name)
  const received: string[] = []
  room.on("chatMessage", ({ text }, { offset }) => received.push(`${offset} ${text}`))
  room.onGap(({ from, to, reason }) => received.push(`gap ${from}-${to} ${reason}`))
  room.onLeft(({ code }) => received.push(`left ${code}`))
  return received
}
