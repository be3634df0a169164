// The names that both entry points of the client export.
export type { ClientStats, ClientStores, EventListener, SessionView } from "./client-api.ts"
export type { ClientOptions } from "./client-options.ts"
export type { ConnectOptions } from "./connect.ts"
export { queryOptions } from "./query-options.ts"
export type { QueryData, QueryOptions } from "./query-options.ts"
export { EventBus } from "./base/event-bus.ts"
export type { Store } from "./base/store.ts"
export type { EventBusOptions, Listener, ListenOptions, Unsubscribe } from "./base/event-bus.ts"
export type { Dialect } from "./session/dialect.ts"
export { exponential, fixed, linear, noReconnect } from "./session/strategies.ts"
export type { Jitter, ReconnectContext, ReconnectStrategy, StrategyOptions } from "./session/strategies.ts"
export type { PendingRequest } from "./calls/pending-request.ts"
export type { CallOptions, WhenOffline } from "./calls/requests.ts"
export type { StreamOptions } from "./calls/streams.ts"
export type { CallReading } from "./calls/call-stats.ts"
export type { ClientCounters } from "./base/counters.ts"
export type { SessionEvent } from "./session/session-event.ts"
export { pageLeaveSource } from "./session/leave.ts"
export type { LeaveSource, PageExit } from "./session/leave.ts"
export { pageWakeSource } from "./session/wake.ts"
export type { WakeMoment, WakeSource } from "./session/wake.ts"
export type { TokenContext, TokenSource } from "./session/tokens.ts"
export type { ClientStatus } from "./session/status.ts"
export type {
  ReplicaEvents,
  ReplicaFreshness,
  ReplicaSnapshot,
  ReplicaUpdate,
  ReplicaCopy,
} from "./replicas/replica-api.ts"
export type {
  JoinArguments,
  JoinOptions,
  LogOptions,
  Member,
  PresenceSnapshot,
  PresenceUpdate,
  PresenceCopy,
  PublishOptions,
  Published,
  TopicItem,
  ClientTopic,
  TopicReplicas,
  TopicState,
} from "./topics/topic-api.ts"
export type { WebSocketConstructor, WebSocketLike } from "./transport/web-socket.ts"

export type { EventMeta } from "./base/event-delivery.ts"
