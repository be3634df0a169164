// Common parts of the three processes of a run: the contract, and the messages between the runner and the two ends.
import { defineContract, defineReplica, integer } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { z } from "zod"

export const contract = defineContract({
  name: "links",
  commands: { move: { input: z.object({ id: z.string() }), output: z.object({ id: z.string() }) } },
  events: { tick: { payload: z.object({ count: z.number() }) } },
  replicas: {
    /** One record carries the time of its last change; the others are load. */
    crowd: defineReplica({
      fields: { x: integer({ min: 0, max: 1_048_575 }), y: integer({ min: 0, max: 1_048_575 }) },
    }),
  },
})

export type LinkContract = typeof contract

/** The record of `crowd` whose `x` and `y` are the time of its last change, in two parts. */
export const clockId = "clock"
const clockBase = 1_000_000

/** Clock in milliseconds that is the same in all processes of one machine. */
export function sharedNowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now())
}

export function clockRecord(nowMs: number): { readonly x: number; readonly y: number } {
  return { x: Math.floor(nowMs / clockBase) % clockBase, y: nowMs % clockBase }
}

export function ageOf({ x, y }: { readonly x: number; readonly y: number }, nowMs: number): number {
  const changedAt = x * clockBase + y
  return (nowMs % (clockBase * clockBase)) - changedAt
}

export interface ServerSetUp {
  readonly host: string
  readonly limits: Partial<ServerLimits>
  /** Reliable events to every client per second; 0: none. */
  readonly ticksPerSecond: number
  /** Records of the replica that change in each of its ticks; 0: no client has a view. */
  readonly movingRecords: number
}

export interface ServerFigures {
  /** When each request was executed. */
  readonly executedAtMs: Readonly<Record<string, number>>
  readonly upgradesRefused: Readonly<Record<string, number>>
  readonly handshakesRefused: number
  readonly sessionsEnded: Readonly<Record<string, number>>
  readonly sessionsResumed: number
  readonly silentClosed: number
  readonly slowClosed: number
  readonly conflated: number
  readonly replicaBytes: number
  readonly voided: number
  readonly errors: readonly string[]
}

export type ToServer =
  | { readonly kind: "start"; readonly setUp: ServerSetUp }
  | { readonly kind: "read" }
  | { readonly kind: "end" }
export type FromServer =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "figures"; readonly figures: ServerFigures }

export interface ClientsSetUp {
  readonly url: string
  readonly count: number
  /** Number of clients that send requests; the others only receive. */
  readonly active: number
  readonly requestEveryMs: number
  readonly requestTimeoutMs: number
  /** The clients connect one after the other within this time. */
  readonly spreadMs: number
}

/** A connection that ended unintentionally. */
export interface Death {
  readonly client: number
  readonly isActive: boolean
  readonly atMs: number
  readonly why: string
}

interface RequestFigures {
  readonly made: number
  readonly answered: number
  /** Counts by code. */
  readonly failed: Readonly<Record<string, number>>
  /** Milliseconds from the call to the reply. */
  readonly medianMs: number
  readonly longestMs: number
}

/** Figures since the last reading. */
export interface ClientFigures {
  readonly open: number
  readonly deaths: readonly Death[]
  readonly dials: number
  readonly dialsFailed: Readonly<Record<string, number>>
  readonly resumes: number
  readonly resets: Readonly<Record<string, number>>
  readonly requests: RequestFigures
  /** Time at which the caller of a failed request got its error. */
  readonly toldAtMs: Readonly<Record<string, number>>
  /** Ages of the clients' copies of the replica, one reading per client and second. */
  readonly ages: { readonly medianMs: number; readonly longestMs: number }
  readonly errors: readonly string[]
}

export type ToClients =
  | { readonly kind: "start"; readonly setUp: ClientsSetUp }
  /** Cuts every connection, one after the other. */
  | { readonly kind: "cut"; readonly spreadMs: number }
  /** Calls `wake()` on a share of the clients, as after a device's sleep. */
  | { readonly kind: "wake"; readonly share: number }
  /** Answers when all are open, or after this time. */
  | { readonly kind: "await"; readonly withinMs: number }
  | { readonly kind: "read" }
  | { readonly kind: "end" }
export type FromClients =
  | { readonly kind: "open"; readonly open: number; readonly afterMs: number }
  | { readonly kind: "figures"; readonly figures: ClientFigures }
