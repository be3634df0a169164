export { createClient } from "./client.ts"
export type {
  Client,
  ClientOptions,
  ClientStats,
  ConnectOptions,
  EventListener,
  EventMeta,
} from "./client.ts"
export { EventBus } from "./event-bus.ts"
export type { EventBusOptions, Listener, ListenOptions, Unsubscribe } from "./event-bus.ts"
export { exponential, fixed, linear, noReconnect } from "./session/strategies.ts"
export type { Jitter, ReconnectContext, ReconnectStrategy, StrategyOptions } from "./session/strategies.ts"
export type { CallOptions } from "./calls/requests.ts"
export type { TokenContext, TokenSource } from "./session/run-client.ts"
export type { ClientStatus } from "./status.ts"
export type { WebSocketConstructor, WebSocketLike } from "./transport/web-socket.ts"

export { HawserError, defineContract } from "@hawser/protocol"
export type { ClientLimits, Contract } from "@hawser/protocol"
