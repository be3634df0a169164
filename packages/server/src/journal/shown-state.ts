// Summary of the state that a journal holds, without payloads. Must not know files and records.
import { isMap } from "@hawser/protocol/core"
import { decodeUser } from "../session/life/kept-session.ts"
import type { KeptSession } from "../session/life/kept-session.ts"
import { unacknowledgedOf } from "./kept-state.ts"
import type { KeptState } from "./kept-state.ts"
import type { Rebuild } from "./rebuild.ts"

/** Session of a journal. */
export interface ShownSession {
  /** Number in the journal. */
  readonly number: number
  /** Id of the session. */
  readonly id: string
  /** Undefined if the user is not readable; the session is then set aside. */
  readonly userId: string | undefined
  /** Address of the last connection, as the caps count it. */
  readonly address: string
  /** Messages that the client has not acknowledged. */
  readonly unacknowledged: number
  /** Bytes of these messages. */
  readonly unacknowledgedBytes: number
  /** Keyed volatile values that wait for the client. */
  readonly values: number
  /** Requests that had begun and run again. */
  readonly running: number
  /** Open streams, which end with `server_restarted`. */
  readonly streams: number
  /** Topics that the client joined. */
  readonly topics: readonly string[]
  /** Rest of the resume window at a start now, in milliseconds; below 0 if it is over. */
  readonly windowLeftMs: number
}

/** Topic of a journal. */
export interface ShownTopic {
  /** Name of the topic. */
  readonly name: string
  /** Epoch, in which an offset names one publication. */
  readonly epoch: string
  /** Number of the last publication. */
  readonly offset: number
  /** Publications in the history. */
  readonly retained: number
  /** Bytes of these publications. */
  readonly retainedBytes: number
  /** Members in the presence list. */
  readonly members: number
}

/** State of a journal. */
export interface ShownState {
  /** Sessions in the order of their numbers. */
  readonly sessions: readonly ShownSession[]
  /** Topics in the order of their begin. */
  readonly topics: readonly ShownTopic[]
  /** Outcomes of requests with an idempotency key. */
  readonly outcomes: number
  /** Ends of sessions, the answers to late claims. */
  readonly ends: number
  /** Names of calls and events with a number. */
  readonly types: number
  /** Texts of the processes since the round that a start reads, oldest first. */
  readonly lives: readonly string[]
  /** Time of the last record, in milliseconds since 1970; 0 without one. */
  readonly lastAtMs: number
}

/** Returns the summary for a start at `nowMs`. Expired outcomes and ends are not counted. */
export function shownState({ state, lives }: Rebuild, nowMs: number): ShownState {
  const { topics, presences, outcomes, ends, types, lastAtMs } = state
  const isLeft = ({ untilMs }: { readonly untilMs: number }): boolean => untilMs > nowMs
  return {
    sessions: [...state.sessions].map((entry) => shownSession(entry, state, nowMs)),
    topics: [...topics].map(([name, { epoch, offset, publications }]) => ({
      name,
      epoch,
      offset,
      retained: publications.length,
      retainedBytes: sizeOf(publications.map(({ bytes }) => bytes)),
      members: presences.get(name)?.members.size ?? 0,
    })),
    outcomes: [...outcomes.values()].filter(isLeft).length,
    ends: [...ends.values()].filter(isLeft).length,
    types: types.size,
    lives: [...lives],
    lastAtMs,
  }
}

function shownSession(
  [number, session]: readonly [number, KeptSession],
  { lastAtMs }: KeptState,
  nowMs: number,
): ShownSession {
  const { windowMs, spentMs, detachedAtMs = lastAtMs } = session.claims
  const messages = unacknowledgedOf(session)
  return {
    number,
    id: session.id,
    userId: userIdOf(session.user),
    address: session.address,
    unacknowledged: messages.length,
    unacknowledgedBytes: sizeOf(messages),
    values: session.values.size,
    running: session.started.size,
    streams: session.streams.size,
    topics: [...session.memberships.keys()],
    windowLeftMs: windowMs - spentMs - Math.max(0, nowMs - detachedAtMs),
  }
}

function userIdOf(packed: Uint8Array): string | undefined {
  try {
    const user = decodeUser(packed)
    return isMap(user) && typeof user["id"] === "string" ? user["id"] : undefined
  } catch {
    return undefined
  }
}

function sizeOf(all: readonly Uint8Array[]): number {
  return all.reduce((sum, { length }) => sum + length, 0)
}
