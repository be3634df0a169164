export { jwt } from "./authenticate.ts"
export type {
  Authenticate,
  AuthenticateContext,
  AuthenticatedUser,
  JwtOptions,
  JwtUser,
} from "./authenticate.ts"
export type { HandlerContext, StreamContext } from "./calls/call-router.ts"
export type { ItemSource } from "./calls/reply-streams.ts"
export type { ServerCounters } from "./counters.ts"
export type { CallReading } from "./metrics/call-stats.ts"
export type { HistogramReading } from "./metrics/histogram.ts"
export type { Event20, Payload20, Profile20, ReplicaChange20Of, Request20 } from "./profile20.ts"
export { createServer } from "./server.ts"
export type {
  Handler,
  Listening,
  PublishOptions,
  Server,
  ServerOptions,
  ServerStats,
  SessionEnded,
  Suspicion,
  SessionOpened,
  StreamHandler,
  Topic,
} from "./server-api.ts"
export type { DrainOptions } from "./session/drain.ts"
export type { CloseOptions } from "./session/shut-down.ts"
export type { SentMessage } from "./session/sent-message.ts"
export { addressKey, isLoopback, peerAddress } from "./transport/peer-address.ts"
export type { AddressedRequest } from "./transport/peer-address.ts"
export type { EntranceHost } from "./transport/entrances.ts"
export type { UpgradeRequest, UpgradeVerdict } from "./transport/judge-upgrade.ts"
export type { ServerWarning } from "./transport/upgrade-warnings.ts"
export type { SessionPolicy } from "./session/session-registry.ts"
export type { Permission, TopicJoin, TopicPublish, TopicRules } from "./topics/topic-kinds.ts"
export type { EndCause, SendOutcome, Session } from "./session/session.ts"
export { systemClock } from "./system.ts"
export type { Replica } from "./topics/replica.ts"
export type { View, Viewpoint } from "./topics/replicas.ts"

export {
  HawserError,
  defineContract,
  defineTopic,
  encodeOnce,
  encodedArray,
  encodedMap,
  plain,
} from "@hawser/protocol"
export type { Contract, Encodable, Encoded, ServerLimits, TopicHistoryLimits } from "@hawser/protocol"
