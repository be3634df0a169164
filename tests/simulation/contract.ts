// The application of the simulator: messages that carry a number, so that each can be identified.
import { defineContract, defineReplica, defineTopic, integer, optional, text } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"

/** A reliable event. */
export interface Note {
  readonly id: number
  readonly pad: string
}

/** A volatile event. `after`: number of reliable events to the session before it. */
export interface Reading {
  readonly id: number
  readonly key: string
  readonly pad: string
}

/** Behaviours of a handler. */
export const manners = ["now", "slow", "throws", "throwsLate", "deaf", "deafThrows"] as const
export type Manner = (typeof manners)[number]

export interface Work {
  readonly id: number
  readonly manner: Manner
  readonly ms: number
  readonly pad: string
}

export interface Done {
  readonly id: number
  readonly pad: string
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
}

function checked<T>(is: (value: unknown) => value is T): Schema<T> {
  return {
    "~standard": {
      version: 1,
      vendor: "simulation",
      validate: (value) => (is(value) ? { value } : { issues: [{ message: "not as sent" }] }),
    },
  }
}

function hasNumber(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && typeof value["id"] === "number" && typeof value["pad"] === "string"
}

const isNote = (value: unknown): value is Note => hasNumber(value)
const isReading = (value: unknown): value is Reading => hasNumber(value) && typeof value["key"] === "string"
const isWork = (value: unknown): value is Work =>
  hasNumber(value) && typeof value["ms"] === "number" && manners.some((one) => one === value["manner"])

const work = { input: checked(isWork), output: checked(isNote) }

/** Fields with steps, without steps, and one that may be absent. */
const thing = {
  n: integer(),
  x: integer({ min: 0, max: 19 }),
  y: integer({ min: 0, max: 9 }),
  name: optional(text()),
}

export const contract = defineContract({
  name: "simulation",
  /** `dash` has no order. */
  commands: { work, dash: work },
  queries: { look: work },
  events: {
    note: { payload: checked(isNote) },
    reading: { payload: checked(isReading), delivery: "volatile" },
    gauge: { payload: checked(isReading), delivery: "volatile", key: ({ key }) => key },
  },
  errors: { no_ore: null },
  topics: {
    /** Subscribed by the server alone. */
    square: defineTopic({ events: ["note"] }),
    /** Joined by clients, for its replicas. */
    board: defineTopic({
      events: [],
      replicas: {
        cursors: defineReplica({ fields: thing }),
        pieces: defineReplica({ fields: thing, area: { x: "x", y: "y", cellSize: 10, range: 0 } }),
      },
    }),
  },
})

export type SimulationContract = typeof contract

export interface SimulationUser {
  readonly id: string
  readonly expiresAtMs?: number
}
