// Port of a wire profile: all differences between profiles. A server has one dialect for each profile; a session keeps the dialect
// of the connection that opened it.
// Must not know sockets, topics and replicas.
import type { Codec, ServerDelivery, Frame, Profile, Reference, WireError } from "@hawser/protocol/core"
import type { Author, Contract, ServerLimits } from "@hawser/protocol"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerCounters } from "../../base/counters.ts"
import type { Session } from "../../base/session.ts"
import type { CallDialect } from "../../calls/call-dialect.ts"
import type { Ending } from "./session-end.ts"
import type { Outbound } from "./outbound.ts"

/** Event before its encoding. */
export interface EventValues {
  /** Key of the event in the contract. */
  readonly name: string
  /** Payload of the event, or its encoding. */
  readonly payload: unknown
  /** True if the event may be lost. */
  readonly volatile: boolean
  /** Key by which waiting values are conflated, as the wire carries it. */
  readonly key: string | undefined
  /** Topic of the publication, and its offset if it has one. */
  readonly source: TopicSource | undefined
}

/** Origin of a publication in a topic. */
export interface TopicSource {
  /** Name of the topic. */
  readonly topic: string
  /** Offset of the publication; undefined if it is volatile. */
  readonly offset: number | undefined
  /** Client that published; undefined for a publication of the server. */
  readonly author: Author | undefined
}

/** Change of a replica, by records. */
export interface ReplicaChange {
  /** Records that are new to the client or have changed: all of their fields, and their id. */
  readonly records: readonly (Readonly<Record<string, unknown>> & {
    /** Id of the record. */
    readonly id: string
  })[]
  /** Ids of records that left the client's view. */
  readonly gone: readonly string[]
}

/** Rules for messages of a connection before WELCOME. */
export interface AdmissionRules {
  /** True if the first message carries a wire version and the client's limits, which the server checks. */
  readonly negotiates: boolean
  /** True if the client may send messages between its token and WELCOME. They are held, at most `earlyMaxCount`. */
  readonly holdsEarly: boolean
  /** Code and category of the refusal of a first message that is no log-in. */
  readonly unauthenticated: Pick<WireError, "code" | "category">
}

/** Refusal of a log-in. */
interface LoginRefusal {
  /** Error for the client, in the terms of the profile. */
  readonly error: WireError
  /** Returns the last frame of the connection, which carries the error. */
  readonly frame: (error: WireError) => Frame
}

/** High-water marks of a session's inbox, at which the server stops reading the socket. */
export type HeldLimits = Pick<ServerLimits, "heldMaxCount" | "heldMaxBytes">

/** Reaction to a message that breaks the protocol: end of the session, or error reply. */
export type BadReaction =
  | {
      /** The session ends. */
      readonly kind: "end"
      /** Cause of the end. */
      readonly code: string
      /** Message and report of the end. */
      readonly ending: Ending
    }
  | {
      /** The client gets an error reply. */
      readonly kind: "reply"
    }

/** Wire profile of a server. */
export interface Dialect<User extends AuthenticatedUser> extends CallDialect<User> {
  /** Name of the profile. */
  readonly profile: Profile
  /** Codec of the profile's frames. */
  readonly codec: Codec
  /** True if reliable messages are counted and acknowledged, which makes sessions resumable. */
  readonly counts: boolean
  /** Rules for messages before WELCOME. */
  readonly admission: AdmissionRules
  /** High-water marks of a session's inbox. */
  readonly held: HeldLimits
  /** Cause of the end of a session whose send buffer is full. */
  readonly overflow: string
  /** Returns the outbound port of one session. */
  outbound(delivery: ServerDelivery): Outbound
  /** Returns the payload of WELCOME; undefined if this profile has none. */
  welcome(session: Session<User>): unknown
  /** Returns the refusal of a log-in. `reference`: of the refused message. */
  refusal(error: WireError, reference: Reference): LoginRefusal
  /** Returns the WebSocket close code for a session or connection that ends with this code. */
  closeCode(code: string): number
  /** Returns the reaction to the `badCount`-th bad message of a session. */
  bad(error: WireError, badCount: number): BadReaction
  /** Encodes an event for all recipients of this profile. @throws UnsendableError for a payload that clients would refuse. */
  publication(event: EventValues): readonly Uint8Array[]
  /**
   * Encodes a change of a replica for all viewers that see the same change. Absent if clients of this profile take cells and
   * deltas. @throws UnsendableError
   */
  readonly replicaChange?: (replica: string, change: ReplicaChange) => readonly Uint8Array[]
}

/** Parts of a server that a dialect uses. */
export interface DialectHost<C extends Contract = Contract> {
  /** Contract of the server. */
  readonly contract: C
  /** Limits of the server. */
  readonly limits: ServerLimits
  /** Returns wall-clock milliseconds since 1970. */
  readonly wallClockMs: () => number
  /** Counters of the server. */
  readonly counters: ServerCounters
}

/** Creates the dialect of one server. */
export type DialectFactory<C extends Contract, User extends AuthenticatedUser> = (
  host: DialectHost<C>,
) => Dialect<User>
