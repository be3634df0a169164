export { jwt } from "./base/authenticate.ts"
export type {
  Authenticate,
  AuthenticateContext,
  AuthenticatedUser,
  JwtOptions,
  JwtUser,
} from "./base/authenticate.ts"
export type { UpgradeHeaders } from "@hawser/protocol/core"
export type { HandlerContext, StreamContext } from "./calls/call-router.ts"
export type { HandlerOptions } from "./calls/handler-table.ts"
export type { Middleware, MiddlewareCall, MiddlewareKind } from "./calls/middleware.ts"
export type { ItemSource } from "./calls/job.ts"
export type { ServerCounters } from "./base/counters.ts"
export type { CallReading } from "./base/call-stats.ts"
export type { HistogramReading } from "./base/histogram.ts"
export { createServer } from "./server.ts"
export type {
  EndSessionsOptions,
  Handler,
  LocalServer,
  Server,
  ServerOptions,
  StreamHandler,
} from "./server-api.ts"
export type { SessionEnded, SessionOpened, Suspicion } from "./session/session-hooks.ts"
export type { ListenOptions, Listening } from "./transport/listening.ts"
export { systemdSocket } from "./transport/systemd-socket.ts"
export type { ServerStats } from "./metrics/server-stats.ts"
export type { LocalTopic, PublishOptions, Topic } from "./topics/topic.ts"
export type { DrainOptions } from "./session/life/drain.ts"
export type { CloseOptions } from "./session/life/shut-down.ts"
export type { SentMessage } from "./session/conversation/sent-message.ts"
export { addressKey, isLoopback, peerAddress } from "./transport/peer-address.ts"
export type { AddressedRequest } from "./transport/peer-address.ts"
export type { EntranceHost } from "./transport/entrances.ts"
export type { UpgradeRequest, UpgradeVerdict } from "./transport/judge-upgrade.ts"
export type { LoginRefusal } from "./base/refusals.ts"
export type { ServerWarning } from "./base/server-warning.ts"
export type { ClaimsRecord } from "./session/life/session.machine.ts"
export { judgeNewcomer, memoryStore } from "./session/life/session-store.ts"
export type {
  HeldSession,
  Newcomer,
  Opening,
  SessionClaim,
  SessionStore,
  SessionStoreFactory,
  StoreHost,
} from "./session/life/session-store.ts"
export { decodeSessionRecord, encodeSessionRecord } from "./session/life/record-codec.ts"
export type {
  MembershipRecord,
  PresenceStateRecord,
  SessionRecord,
  UserPacking,
} from "./session/life/session-record.ts"
export type { SessionPolicy } from "./session/life/session-registry.ts"
export type {
  LeaveCause,
  Permission,
  TopicJoin,
  TopicJoined,
  TopicLeft,
  TopicMember,
  TopicPublish,
  TopicRules,
} from "./topics/topic-kinds.ts"
export type { EndCause, SendOutcome, Session } from "./base/session.ts"
export { systemClock } from "./base/system.ts"
export type { Replica } from "./replicas/replica.ts"
export type { View, Viewpoint } from "./replicas/replicas.ts"

// The vocabulary of contracts, so that an application needs no second package.
export * from "@hawser/protocol"
