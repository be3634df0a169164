// Declares, writes and reads the messages of the topics layer, except publications: four requests of clients and three events
// of the server. Checks everything that a peer sent. Must not know members or histories.
import type { Schema } from "../contract/schema.ts"
import { isMap } from "../wire/payload-codec.ts"
import { sentence } from "../base/sentence.ts"
import type { TopicGapReason, TopicPosition } from "../contract/topic-kind.ts"

/** Request `$join`: joins a topic, with an optional replay. */
export interface JoinRequest {
  readonly topic: string
  /** State of the member; undefined for a kind without presence. */
  readonly state: unknown
  /** Requests a replay of the publications after this position; undefined: none. */
  readonly since: TopicPosition | undefined
  /** Requests a replay of the last publications, by their number; 0: none. */
  readonly recent: number
}

/** Reply to `$join`, after the replay. */
export interface JoinReply {
  /** True if the replay has another page: the client is not subscribed yet and joins again from its position. */
  readonly more: boolean
  /** Offset up to which this page replays the topic. */
  readonly offset: number
}

/** Request `$leave`: leaves a topic. */
export interface LeaveRequest {
  readonly topic: string
}

/** Request `$publish`: publishes an event to a topic. */
export interface PublishRequest {
  readonly topic: string
  readonly event: string
  readonly payload: unknown
  /** True if the sender receives the publication, too, if it is subscribed. Default true. */
  readonly echo: boolean
}

/** Reply to `$publish`. */
export interface PublishReply {
  /** Offset of the publication; null for a volatile event, and for a publication without recipients. */
  readonly offset: number | null
}

/** Request `$presence`: changes the state of the member. */
export interface PresenceRequest {
  readonly topic: string
  readonly state: unknown
}

/** One member of a topic, as the other members receive it. */
export interface PresentMember {
  /** Id of the membership, from a join to its leave. A later membership of the same user has another id. */
  readonly id: number
  /** Id of the user. */
  readonly user: string
  /** State of the member, after validation. */
  readonly state: unknown
  /** True while the member's session is detached. */
  readonly away: boolean
}

/** Members of a topic. */
export interface PresenceList {
  /** Number of all members. */
  readonly count: number
  /** The members that joined first, at most `presenceListMaxCount`. */
  readonly members: readonly PresentMember[]
}

/** Event `$join`. Precedes the replay: publications above `offset` follow. */
export interface JoinedEvent {
  readonly topic: string
  readonly epoch: string
  readonly offset: number
  /** Publications that cannot be replayed; undefined: none. */
  readonly gap: JoinedGap | undefined
  /** True if the replay has another page. */
  readonly more: boolean
  /** Member id of the recipient. */
  readonly self: number
  /** Members of the topic; undefined for a kind without presence. */
  readonly presence: PresenceList | undefined
}

/** Publications between the requested position and the replay that cannot be replayed. */
export interface JoinedGap {
  /** Offset of the first missing publication. */
  readonly from: number
  /** Offset of the last missing publication; undefined: unknown. */
  readonly to: number | undefined
  readonly reason: TopicGapReason
}

/** Event `$leave`: the server has ended the membership or subscription, for the reason in `code`. */
export interface LeftEvent {
  readonly topic: string
  readonly code: string
  readonly message: string
}

/** Event `$presence`: members that joined, changed or left. */
export interface PresenceEvent extends PresenceList {
  readonly topic: string
  /** True for a complete list: a member that it does not contain has left. */
  readonly isFull: boolean
  /** Ids of the members that left. */
  readonly gone: readonly number[]
}

/** Containers around a member's state in the EVENT that nests it deepest, `$join`, the frame included. */
export const presenceDepth = 5

/** Schemas of the requests of the topics layer, by their names on the wire. A server reads them. */
export const topicRequests = {
  $join: shapeOf("a join", readJoin),
  $leave: shapeOf("a leave", readLeave),
  $publish: shapeOf("a publication", readPublish),
  $presence: shapeOf("a presence", readPresence),
} as const

/** Schemas of the replies to these requests. A client reads them. */
export const topicReplies = {
  $join: shapeOf("the reply to a join", readJoinReply),
  $leave: shapeOf("the reply to a leave", () => null),
  $publish: shapeOf("the reply to a publication", readPublishReply),
  $presence: shapeOf("the reply to a presence", () => null),
} as const

/** Name of a request of the topics layer. */
export type TopicCall = keyof typeof topicRequests

// --- requests -----------------------------------------------------------------------------------------------------

function readJoin(value: unknown): JoinRequest | undefined {
  if (!isMap(value)) return undefined
  const { topic, state, since, recent = 0 } = value
  if (!isText(topic) || !isCount(recent)) return undefined
  if (since === undefined) return { topic, state, since, recent }
  const position = readPosition(since)
  return position === undefined ? undefined : { topic, state, since: position, recent }
}

function readPosition(value: unknown): TopicPosition | undefined {
  const [epoch, offset] = listOf(value)
  return isText(epoch) && isCount(offset) ? { epoch, offset } : undefined
}

/** Returns the payload of `$join`. */
export function joinPayload({ topic, state, since, recent }: JoinRequest): Readonly<Record<string, unknown>> {
  return {
    topic,
    ...(state === undefined ? {} : { state }),
    ...(since === undefined ? {} : { since: [since.epoch, since.offset] }),
    ...(recent === 0 ? {} : { recent }),
  }
}

function readLeave(value: unknown): LeaveRequest | undefined {
  return isMap(value) && isText(value["topic"]) ? { topic: value["topic"] } : undefined
}

function readPublish(value: unknown): PublishRequest | undefined {
  if (!isMap(value)) return undefined
  const { topic, event, payload, echo = true } = value
  return isText(topic) && isText(event) && typeof echo === "boolean"
    ? { topic, event, payload, echo }
    : undefined
}

function readPresence(value: unknown): PresenceRequest | undefined {
  return isMap(value) && isText(value["topic"]) ? { topic: value["topic"], state: value["state"] } : undefined
}

function readJoinReply(value: unknown): JoinReply | undefined {
  if (!isMap(value)) return undefined
  const { more, offset } = value
  return typeof more === "boolean" && isCount(offset) ? { more, offset } : undefined
}

function readPublishReply(value: unknown): PublishReply | undefined {
  if (!isMap(value)) return undefined
  const { offset } = value
  return offset === null || isCount(offset) ? { offset } : undefined
}

// --- events -------------------------------------------------------------------------------------------------------

/** Returns the payload of the event `$join`. */
export function joinedPayload(event: JoinedEvent): Readonly<Record<string, unknown>> {
  const { topic, epoch, offset, gap, more, self, presence } = event
  return {
    topic,
    epoch,
    offset,
    gap: gap === undefined ? null : [gap.from, gap.to ?? null, gap.reason],
    more,
    self,
    presence: presence === undefined ? null : [presence.count, presence.members.map(memberFields)],
  }
}

/** Reads the event `$join`; undefined if it is malformed. */
export function readJoined(value: unknown): JoinedEvent | undefined {
  if (!isMap(value)) return undefined
  const { topic, epoch, offset, more, self } = value
  if (!isText(topic) || !isText(epoch) || !isCount(offset)) return undefined
  if (typeof more !== "boolean" || !isCount(self)) return undefined
  const gap = value["gap"] === null ? undefined : readGap(value["gap"])
  const presence = value["presence"] === null ? undefined : readList(value["presence"])
  if (gap === null || presence === null) return undefined
  return { topic, epoch, offset, gap, more, self, presence }
}

/** Returns null for a value that is not a gap. */
function readGap(value: unknown): JoinedGap | null {
  const [from, to, reason] = listOf(value)
  if (!isCount(from) || !(to === null || isCount(to)) || !isReason(reason)) return null
  return { from, to: to ?? undefined, reason }
}

/** Returns null for a value that is not a member list. */
function readList(value: unknown): PresenceList | null {
  const [count, list] = listOf(value)
  const members = readMembers(list)
  return isCount(count) && members !== undefined ? { count, members } : null
}

/** Returns the payload of the event `$leave`. */
export function leftPayload({ topic, code, message }: LeftEvent): Readonly<Record<string, unknown>> {
  return { topic, code: sentence(code), message: sentence(message) }
}

/** Reads the event `$leave`; undefined if it is malformed. */
export function readLeft(value: unknown): LeftEvent | undefined {
  if (!isMap(value)) return undefined
  const { topic, code, message } = value
  return isText(topic) && isText(code) && isText(message) ? { topic, code, message } : undefined
}

/** Returns the payload of the event `$presence`. */
export function presencePayload(event: PresenceEvent): Readonly<Record<string, unknown>> {
  const { topic, isFull, count, members, gone } = event
  return { topic, full: isFull, count, set: members.map(memberFields), gone }
}

/** Reads the event `$presence`; undefined if it is malformed. */
export function readPresenceEvent(value: unknown): PresenceEvent | undefined {
  if (!isMap(value)) return undefined
  const { topic, full: isFull, count } = value
  const members = readMembers(value["set"])
  const gone = listOf(value["gone"])
  if (!isText(topic) || typeof isFull !== "boolean" || !isCount(count)) return undefined
  return members !== undefined && gone.every(isCount) ? { topic, isFull, count, members, gone } : undefined
}

function memberFields({ id, user, state, away }: PresentMember): readonly unknown[] {
  return [id, user, state, away]
}

function readMembers(value: unknown): PresentMember[] | undefined {
  if (!Array.isArray(value)) return undefined
  const members: PresentMember[] = []
  for (const entry of value) {
    const [id, user, state, away] = listOf(entry)
    if (!isCount(id) || !isText(user) || typeof away !== "boolean") return undefined
    members.push({ id, user, state, away })
  }
  return members
}

// --- fields -------------------------------------------------------------------------------------------------------

/** Returns a validator for a message of the topics layer. */
// The annotation lets a bundler drop the schemas that an end does not use.
/* @__NO_SIDE_EFFECTS__ */
function shapeOf<T>(what: string, read: (value: unknown) => T | undefined): Schema<unknown, T> {
  return {
    "~standard": {
      version: 1,
      vendor: "hawser",
      validate: (value) => {
        const found = read(value)
        return found === undefined
          ? { issues: [{ message: `does not have the form of ${what}` }] }
          : { value: found }
      },
    },
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

function isReason(value: unknown): value is TopicGapReason {
  return value === "trimmed" || value === "restarted" || value === "unkept"
}
