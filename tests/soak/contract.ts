// What server and clients of a soak say to each other, and what the server's process and its parent do.
import { defineContract, defineReplica, defineTopic, integer, real } from "@hawser/protocol"
import { z } from "zod"

const counted = z.object({ n: z.number() })

export const cellSize = 10

export const contract = defineContract({
  name: "soak",
  commands: { count: { input: counted, output: counted } },
  events: {
    /** Counts in its session. */
    note: { payload: counted },
    /** Counts in its topic. */
    chat: { payload: counted },
    /** Counts for its author. */
    hail: { payload: z.object({ who: z.string(), n: z.number() }) },
  },
  topics: { room: defineTopic({ events: ["chat", "hail"], presence: z.object({ mood: z.number() }) }) },
  replicas: {
    walkers: defineReplica({
      fields: {
        x: real({ min: 0, max: 1_000, step: 0.25 }),
        y: real({ min: 0, max: 1_000, step: 0.25 }),
        steps: integer(),
      },
      area: { x: "x", y: "y", cellSize },
    }),
  },
})
export type SoakContract = typeof contract

export interface Walker {
  readonly x: number
  readonly y: number
  readonly steps: number
}

/** What the server has counted. */
export interface ServerReport {
  /** Heap and memory outside of it after a forced collection of garbage. */
  readonly heapBytes: number
  readonly deltaBytes: number
  readonly sessions: number
  /** Requests that came twice, late, or behind one that is missing. */
  readonly misplaced: number
  readonly slowConsumers: number
  readonly conflations: number
  readonly errors: readonly string[]
}

/** How things stand when nothing moves any more. */
export interface Rest {
  readonly walkers: Readonly<Record<string, Walker>>
  /** By user, how many notes its session was sent. */
  readonly notes: Readonly<Record<string, number>>
}

export type ToServer =
  | { readonly kind: "start"; readonly walkers: readonly string[] }
  | { readonly kind: "measure" | "drain" | "rest" | "end" }

export type FromServer =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "measured"; readonly report: ServerReport }
  | { readonly kind: "rests"; readonly rest: Rest }
