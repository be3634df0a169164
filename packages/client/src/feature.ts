// A feature of a client: methods that the application chooses, and the hooks through which the core calls them.
import type { Contract } from "@hawser/protocol"
import { unknownName } from "@hawser/protocol/core"
import type { Dial, Frame, ItemFrame } from "@hawser/protocol/core"
import type { Delivered } from "./base/event-delivery.ts"
import type { CallStats } from "./calls/call-stats.ts"
import type { Feature, FeatureName } from "./client-api.ts"
import type { Replicas, ShownReplica } from "./replicas/replicas.ts"
import type { ReplicaCopies } from "./session/replica-copies.ts"
import type { Dependencies } from "./session/run-client-options.ts"
import type { RunningClient } from "./session/run-client.ts"
import type { SessionEvent } from "./session/session-event.ts"
import type { ClientStatus } from "./session/status.ts"

/** The parts of a client that a feature uses. */
export interface FeatureHost extends Dependencies {
  /** Contract of the client. */
  readonly contract: Contract
  /** Counts of the client's calls. */
  readonly callStats: CallStats
  /** Returns the running client. Not before the client is complete. */
  readonly running: () => RunningClient
  /** Runs `work` after all earlier events were delivered. */
  readonly inOrder: (work: () => void) => void
  /** Returns the hooks of all features. Not before the client is complete. */
  readonly hooks: () => FeatureHooks
}

/** Calls of the core to its features. The core calls each hook of one feature at most. */
export interface FeatureHooks {
  /** Copies of replicas. */
  readonly replicas: ReplicaCopies
  /** Copies of replicas, for topics; undefined without the feature `replicas`. */
  readonly copies: Pick<Replicas, "make" | "clear"> | undefined
  /** Returns the copy of a topic's replica. */
  readonly copyOf: (topic: string, name: string) => ShownReplica | undefined
  /** Returns the number of streams that have not ended. */
  readonly openStreams: () => number
  /** Called with each item of a stream. */
  readonly onItem: (frame: ItemFrame) => void
  /** Called with each event and publication. Returns true for a frame that must not reach listeners. */
  readonly onFrame: (frame: Frame) => boolean
  /** Called with each publication of a topic, after the listeners of its event. */
  readonly onTopicEvent: (topic: string, event: string, delivered: Delivered) => void
  /** Called with each event of the session, before its listeners. */
  readonly onSession: (event: SessionEvent) => void
  /** Called with each status, before its listeners. */
  readonly onStatus: (status: ClientStatus) => void
  /** Called when a session has begun, before waiting requests go out. */
  readonly onFresh: () => void
  /** Returns the dial in place of that of the WebSocket. Not called if the option `dial` replaces the WebSocket. */
  readonly dialWith: (dial: Dial) => Dial
}

/** A feature in a client: its methods, and the hooks that it needs. */
interface FeatureParts extends Partial<FeatureHooks> {
  /** Methods that the client gets. */
  readonly methods: object
}

/** A feature as its entry point makes it: with the function that makes the parts of one client. */
export interface FeatureMaker<Name extends FeatureName = FeatureName> extends Feature<Name> {
  readonly install: (host: FeatureHost) => FeatureParts
}

/** Returns false for a value that untyped code passes. */
export function isMaker(feature: Feature): feature is FeatureMaker {
  return typeof feature === "object" && "install" in feature && typeof feature.install === "function"
}

/** Hooks of a client without features. Frames of absent features are dropped. */
export const noHooks: FeatureHooks = {
  copies: undefined,
  copyOf: () => undefined,
  replicas: { held: () => [], detach: () => {}, describe: () => {}, receive: () => {} },
  openStreams: () => 0,
  onItem: () => {},
  onFrame: () => false,
  onTopicEvent: () => {},
  onSession: () => {},
  onStatus: () => {},
  onFresh: () => {},
  dialWith: (dial) => dial,
}

const singular = {
  commands: "command",
  queries: "query",
  streams: "stream",
  events: "event",
  replicas: "replica",
  topics: "topic",
} as const

/** Returns the error for a name that a part of the contract lacks. */
export function lacking(contract: Contract, part: keyof typeof singular, name: string): TypeError {
  const lack = `the contract "${contract.name}" has no ${singular[part]}`
  return unknownName(lack, name, Object.keys(contract[part]))
}
