// Declares kinds of topics in a contract: the events of a kind and the presence state of its members. A topic's name begins
// with its kind. Must not know members or messages.
import type { ReplicaSpec } from "./replica-schema.ts"
import type { Schema } from "./schema.ts"
import { assertTopic } from "./check-spec.ts"
import { isTopicName } from "./topic-name.ts"

/** One kind of topics. Created by `defineTopic`. */
export interface TopicSpec<
  E extends string = string,
  P extends Schema | undefined = Schema | undefined,
  R extends Readonly<Record<string, ReplicaSpec>> = Readonly<Record<string, ReplicaSpec>>,
> {
  /** Events of the contract that a client may publish and subscribe to in topics of this kind. */
  readonly events: readonly E[]
  /** Schema of the state that each member shows to the others; undefined: the kind has no presence. */
  readonly presence: P
  /** Replicas that each topic of this kind has for its members, by name. */
  readonly replicas: R
}

/** Kinds of topics by name. */
export type TopicSpecs = Readonly<Record<string, TopicSpec>>

/** Replicas of a kind without any. */
type NoReplicas = Readonly<Record<never, never>>

/**
 * Declares a kind of topics for a contract. A topic's name is the name of its kind, optionally followed by `:` and a suffix:
 * `chat`, `chat:global`. @throws TypeError for an unknown option, or one of the wrong type.
 */
export function defineTopic<
  const E extends string,
  P extends Schema,
  R extends Readonly<Record<string, ReplicaSpec>>,
>(spec: {
  /** Events of the contract that a client may publish and subscribe to in topics of this kind. */
  readonly events: readonly E[]
  /** Schema of the state that each member shows to the others. It must validate synchronously. */
  readonly presence: P
  /** Replicas of each topic, by name: one instance per topic, which its members see. */
  readonly replicas: R
}): TopicSpec<E, P, R>
export function defineTopic<const E extends string, P extends Schema>(spec: {
  /** Events of the contract that a client may publish and subscribe to in topics of this kind. */
  readonly events: readonly E[]
  /** Schema of the state that each member shows to the others. It must validate synchronously. */
  readonly presence: P
}): TopicSpec<E, P, NoReplicas>
export function defineTopic<const E extends string, R extends Readonly<Record<string, ReplicaSpec>>>(spec: {
  /** Events of the contract that a client may publish and subscribe to in topics of this kind. */
  readonly events: readonly E[]
  /** Replicas of each topic, by name: one instance per topic, which its members see. */
  readonly replicas: R
}): TopicSpec<E, undefined, R>
export function defineTopic<const E extends string>(spec: {
  /** Events of the contract that a client may publish and subscribe to in topics of this kind. */
  readonly events: readonly E[]
}): TopicSpec<E, undefined, NoReplicas>
export function defineTopic(spec: {
  readonly events: readonly string[]
  readonly presence?: Schema
  readonly replicas?: Readonly<Record<string, ReplicaSpec>>
}): TopicSpec {
  assertTopic(spec)
  const { events, presence, replicas = {} } = spec
  return { events, presence, replicas }
}

/** Returns the kind that a topic's name begins with; undefined for an invalid topic name. */
export function topicKindOf(name: string): string | undefined {
  return isTopicName(name) ? name.split(":", 1)[0] : undefined
}

/** Position of a subscriber in a topic: it has received every publication of `epoch` up to `offset`. */
export interface TopicPosition {
  /** Identifies one sequence of offsets. Changes when the topic's offsets start again, as after a restart of the server. */
  readonly epoch: string
  /** Number of the last received reliable publication in the epoch; the first is 1. */
  readonly offset: number
}

/**
 * Reason of missing publications. `trimmed`: they were evicted from the history. `restarted`: the topic has a new epoch.
 * `unkept`: the topic has no history. `overrun`: the iteration's buffer overflowed.
 */
export type TopicGapReason = "trimmed" | "restarted" | "unkept" | "overrun"

/** Publications that a subscriber missed and that cannot be replayed. */
export interface TopicGap {
  /** Name of the topic. */
  readonly topic: string
  /** Epoch of `from` and `to`. */
  readonly epoch: string
  /** Offset of the first missing publication. */
  readonly from: number
  /** Offset of the last missing publication; undefined: unknown. */
  readonly to: number | undefined
  /** Reason why they are missing. */
  readonly reason: TopicGapReason
}
