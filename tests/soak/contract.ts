// The contract of a soak, and the messages between the server's process and its parent.
import { defineContract, defineReplica, defineTopic, integer, real } from "@hawser/protocol"
import { z } from "zod"

const counted = z.object({ n: z.number() })

export const cellSize = 10

export const contract = defineContract({
  name: "soak",
  commands: { count: { input: counted, output: counted } },
  events: {
    /** Numbered within its session. */
    note: { payload: counted },
    /** Numbered within its topic. */
    chat: { payload: counted },
    /** Numbered by its author. */
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

/** Figures of the server. */
export interface ServerReport {
  /** Heap and external memory after a forced garbage collection. */
  readonly heapBytes: number
  readonly deltaBytes: number
  readonly sessions: number
  /** Requests that arrived twice, late, or after a missing one. */
  readonly misplaced: number
  readonly slowConsumers: number
  readonly conflations: number
  readonly errors: readonly string[]
}

/** State of the server after all movement has stopped. */
export interface Rest {
  readonly walkers: Readonly<Record<string, Walker>>
  /** Number of notes that were sent to each user's session. */
  readonly notes: Readonly<Record<string, number>>
}

export type ToServer =
  | { readonly kind: "start"; readonly walkers: readonly string[] }
  | { readonly kind: "measure" | "drain" | "rest" | "end" }

export type FromServer =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "measured"; readonly report: ServerReport }
  | { readonly kind: "rests"; readonly rest: Rest }
