// What a contract says of its topics: which events belong to a kind, and what its members show of themselves. A topic's
// name begins with its kind. Knows no members and no messages.
import type { Schema } from "./schema.ts"
import { isTopicName } from "./topic-name.ts"

/** One kind of topics. Made by `defineTopic`. */
export interface TopicSpec<E extends string = string, P extends Schema | undefined = Schema | undefined> {
  /** Names of the contract's events that a client may publish to such a topic, and listen to in it. */
  readonly events: readonly E[]
  /** What each member shows of itself to the others; undefined: nobody is told who is there. */
  readonly presence: P
}

export type TopicSpecs = Readonly<Record<string, TopicSpec>>

/**
 * Declares a kind of topics for a contract. A topic's name is the name of its kind, alone or with `:` and more after it:
 * `chat`, `chat:global`.
 * @param spec.presence validates the small state of a member, without waiting for anything.
 */
export function defineTopic<const E extends string, P extends Schema>(spec: {
  readonly events: readonly E[]
  readonly presence: P
}): TopicSpec<E, P>
export function defineTopic<const E extends string>(spec: {
  readonly events: readonly E[]
}): TopicSpec<E, undefined>
export function defineTopic({
  events,
  presence,
}: {
  readonly events: readonly string[]
  readonly presence?: Schema
}): TopicSpec {
  return { events, presence }
}

/** The kind that a topic's name begins with; undefined for what cannot be the name of a topic. */
export function topicKindOf(name: string): string | undefined {
  return isTopicName(name) ? name.split(":", 1)[0] : undefined
}

/** Where a reader of a topic stands: it has everything up to `offset` that was published in this `epoch`. */
export interface TopicPosition {
  /** Changes when a topic begins anew, as after a restart of the server. */
  readonly epoch: string
  /** Counts the reliable publications of the epoch, from 1. */
  readonly offset: number
}

/**
 * Why publications are missing. `trimmed`: the history no longer reaches back so far. `restarted`: the topic has begun
 * anew. `unkept`: this topic keeps no history. `overrun`: the reader of an iteration was too slow.
 */
export type TopicGapReason = "trimmed" | "restarted" | "unkept" | "overrun"

/** Publications that a reader did not get and cannot get any more. */
export interface TopicGap {
  readonly topic: string
  /** Of the two offsets. */
  readonly epoch: string
  /** The first one that is missing. */
  readonly from: number
  /** The last one; undefined where nobody knows. */
  readonly to: number | undefined
  readonly reason: TopicGapReason
}
