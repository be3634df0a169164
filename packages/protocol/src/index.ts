export type { Clock } from "./clock.ts"
export {
  HawserError,
  applicationErrorWire,
  errorCodeOf,
  errorTable,
  isErrorCode,
  suggestedAction,
} from "./errors.ts"
export type { ErrorCategory, ErrorCode, HawserErrorOptions, Retry } from "./errors.ts"
export {
  clientMessageLimits,
  defaultClientLimits,
  defaultServerLimits,
  leastHeartbeatMs,
  serverMessageLimits,
} from "./limits.ts"
export type { ClientLimits, MessageLimits, ServerLimits } from "./limits.ts"
export { describeIssues, validate } from "./schema.ts"
export type { Schema, SchemaInput, SchemaOutput, Validated, ValidationIssue } from "./schema.ts"
export { TimerQueue } from "./timer-queue.ts"
export { closeReason } from "./transport.ts"
export type {
  Accept,
  AcceptedConnection,
  Connection,
  ConnectionEvents,
  Dial,
  DialEvents,
  OutboundMessage,
} from "./transport.ts"
export { chooseProfile, subprotocol, wireVersion } from "./version.ts"
export type { Profile } from "./version.ts"

export { closeCode, retryAfterClose } from "./wire/close-code.ts"
export type { Codec, FrameClass } from "./wire/codec.ts"
export { camelCase, createEnvelopeCodec, snakeCase } from "./wire/envelope-codec.ts"
export { classifyFirstByte, createFrameCodec, frameByte } from "./wire/frame-codec.ts"
export type {
  BadFrame,
  CallKind,
  EventFrame,
  Frame,
  HelloFrame,
  Reference,
  ReplyFrame,
  RequestFrame,
  TopicEventFrame,
  VolatileFrame,
  WelcomeFrame,
  WireError,
} from "./wire/frame.ts"
export { guardMessagePack } from "./wire/guard.ts"
export type { GuardLimits, GuardVerdict } from "./wire/guard.ts"
export {
  Encoded,
  createPayloadCodec,
  encodeOnce,
  encodedArray,
  encodedMap,
  plain,
} from "./wire/payload-codec.ts"
export type { Encodable, PayloadCodec } from "./wire/payload-codec.ts"
export { TypeTable, reservedTypes } from "./wire/type-table.ts"

export { contractTypes, defineContract, indexCalls, indexEvents } from "./calls/contract.ts"
export type {
  CallEntry,
  CallInput,
  CallOutput,
  CallSpec,
  CallSpecs,
  CommandName,
  Contract,
  EventName,
  EventPayload,
  EventSpec,
  EventSpecs,
  QueryName,
  ValidInput,
  ValidOutput,
  ValidPayload,
} from "./calls/contract.ts"
export { PendingCalls } from "./calls/pending-calls.ts"
export type { PendingCall, PendingCallOptions } from "./calls/pending-calls.ts"
export { RateLimiter } from "./calls/rate-limit.ts"
export type { RateLimit } from "./calls/rate-limit.ts"

export { Delivery } from "./session/delivery.ts"
export { initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "./session/heartbeat.machine.ts"
export type {
  HeartbeatEffect,
  HeartbeatInput,
  HeartbeatOptions,
  HeartbeatState,
} from "./session/heartbeat.machine.ts"
export { VolatileSlots } from "./session/volatile-slots.ts"
export { assertTopicName, isTopicName } from "./topics/topic-name.ts"
