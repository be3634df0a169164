// A server with three replicas, one with an area, one without, and one that is visible to owners, and clients over an in-memory network.
import { profile20 } from "@hawser/server/profile20"
import { createClient } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { defineContract, defineReplica, integer, oneOf, optional, real, text } from "@hawser/protocol"
import { cellOf, staysInView } from "@hawser/protocol/core"
import type { ReplicaRecord, ServerLimits } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server, ServerOptions } from "@hawser/server"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"

export const cellSize = 10

const contract = defineContract({
  name: "replicas",
  commands: { echo: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) } },
  events: { note: { payload: z.object({ text: z.string() }) } },
  replicas: {
    walkers: defineReplica({
      fields: {
        x: real({ min: -200, max: 200, step: 0.25 }),
        y: real({ min: -200, max: 200, step: 0.25 }),
        name: text(),
        facing: oneOf(["up", "down", "left", "right"]),
        hp: integer({ min: 0, max: 100 }),
        title: optional(text()),
      },
      area: { x: "x", y: "y", cellSize },
    }),
    scores: defineReplica({ fields: { points: integer() } }),
    bags: defineReplica({ fields: { goods: text(), gold: integer() }, visibleTo: "owner" }),
  },
})
export type ReplicaContract = typeof contract
export type Walker = ReplicaRecord<ReplicaContract, "walkers">

export interface TestUser {
  readonly id: string
}

export interface World {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  /** The current server, which accepts connections. */
  server: Server<ReplicaContract, TestUser>
  readonly errors: unknown[]
  /** Replaces the server by a new one without a shutdown and cuts all connections. */
  restart(): void
  open(token: string, options?: Partial<ClientOptions>): Promise<Client<ReplicaContract>>
}

export interface WorldOptions {
  readonly limits?: Partial<ServerLimits>
  readonly profile?: Profile
  readonly latencyMs?: number
  readonly server?: Partial<ServerOptions<ReplicaContract, TestUser>>
}

export function createWorld({
  limits = {},
  profile = "hawser.1",
  latencyMs = 1,
  ...rest
}: WorldOptions = {}): World {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  const start = (): Server<ReplicaContract, TestUser> => {
    const server = createServer(contract, {
      profile20: profile20(),
      authenticate: (id) => ({ id }),
      clock,
      limits,
      onError: (error) => errors.push(error),
      ...rest.server,
    })
    server.command("echo", ({ input }) => input)
    return server
  }
  const network = createMemoryNetwork({
    clock,
    latencyMs,
    accept: (accepted) => world.server.accept(accepted),
  })
  const random = seededRandom(1)
  const open = async (
    token: string,
    options: Partial<ClientOptions> = {},
  ): Promise<Client<ReplicaContract>> => {
    const client = createClient(contract, {
      url: "memory:",
      token,
      ...clientProfile(profile),
      clock,
      random,
      dial: network.dial,
      autoConnect: false,
      onError: (error) => errors.push(error),
      ...options,
    })
    const connected = client.connect()
    await clock.advance(200)
    await connected
    return client
  }
  const restart = (): void => {
    world.server = start()
    for (const link of network.links) link.cut()
  }
  const world: World = { clock, network, server: start(), errors, open, restart }
  return world
}

export function walker(x: number, y: number, more: Partial<Walker> = {}): Walker {
  return { x, y, name: "walker", facing: "up", hp: 100, title: undefined, ...more }
}

/** Records of a client's copy, sorted. */
export function shown(
  client: Client<ReplicaContract>,
  name: "walkers" | "scores" | "bags" = "walkers",
): Record<string, object> {
  return Object.fromEntries([...client.replica(name)].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Records of a server in the cells around a place; with hysteresis a client may also have those one cell further. */
export function around(
  server: Server<ReplicaContract, TestUser>,
  place: { readonly x: number; readonly y: number },
  range = 1,
): Record<string, object> {
  const walkers = server.replica("walkers")
  const centre = cellOf(place, cellSize)
  const near: Record<string, object> = {}
  for (const id of [...walkers.ids()].toSorted()) {
    const record = walkers.get(id)
    if (record !== undefined && staysInView(cellOf(record, cellSize), centre, range - 1)) near[id] = record
  }
  return near
}

export function sessionOf(world: World, user: string) {
  const [session] = world.server.local.sessions(user)
  if (session === undefined) throw new Error(`${user} has no session`)
  return session
}
