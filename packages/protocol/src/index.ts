export { turnNow } from "./clock.ts"
export type { Clock } from "./clock.ts"
export { assertKnownLimits, assertLimit } from "./assert-limit.ts"
export { CodeTally } from "./code-tally.ts"
export type { CodeTallyOptions } from "./code-tally.ts"
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
  defaultClientLimits,
  defaultServerLimits,
  idempotencyKeyMaxLength,
  leastHeartbeatMs,
  streamWindowMax,
  voidMaxCount,
} from "./limits.ts"
export type { ClientLimits, ServerLimits } from "./limits.ts"
export { defaultTopicHistory } from "./topics/history-limits.ts"
export type { TopicHistoryLimits } from "./topics/history-limits.ts"
export { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
export type { MessageLimits } from "./message-limits.ts"
export { describeIssues, validate } from "./schema.ts"
export type { Schema, SchemaInput, SchemaOutput, Validated, ValidationIssue } from "./schema.ts"
export { TimerQueue } from "./timer-queue.ts"
export { closeReason, outbound } from "./transport.ts"
export type {
  Accept,
  AcceptedConnection,
  Connection,
  ConnectionEvents,
  Dial,
  DialEvents,
  DialFailure,
  OutboundMessage,
} from "./transport.ts"
export { chooseProfile, subprotocol, wireVersion } from "./version.ts"
export type { Profile } from "./version.ts"

export { closeCode, isPageGone, retryAfterClose } from "./wire/close-code.ts"
export type { Codec, FrameClass } from "./wire/codec.ts"
export { camelCase, createEnvelopeCodec, snakeCase } from "./wire/envelope-codec.ts"
export { classifyFirstByte, frameByte } from "./wire/frame-byte.ts"
export { createFrameCodec } from "./wire/frame-codec.ts"
export type {
  BadFrame,
  CallKind,
  CancelFrame,
  Author,
  CreditFrame,
  EndFrame,
  EventFrame,
  Frame,
  GoawayIntent,
  HaveFrame,
  HelloFrame,
  ItemFrame,
  Reference,
  ReplicaFrame,
  ReplicaHold,
  ReplicaPartsFrame,
  ReplyFrame,
  RequestFrame,
  ResumeClaim,
  TopicEventFrame,
  VolatileFrame,
  WelcomeFrame,
  WireError,
} from "./wire/frame.ts"
export { Encoded, encodeOnce, encodedArray, encodedMap, plain } from "./wire/encoded.ts"
export type { Encodable } from "./wire/encoded.ts"
export { createPayloadCodec, isMap } from "./wire/payload-codec.ts"
export type { PayloadCodec } from "./wire/payload-codec.ts"
export { quoted } from "./wire/quoted.ts"
export { isWellFormed, sentence } from "./wire/sentence.ts"
export { TypeTable, reservedTypes } from "./wire/type-table.ts"
export { UnsendableError, unsendable } from "./wire/unsendable.ts"
export type { UnsendableCode } from "./wire/unsendable.ts"

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
  ReplicaName,
  ReplicaRecord,
  EventPayload,
  EventSpec,
  EventSpecs,
  KindOfTopic,
  PresenceInput,
  PresenceState,
  QueryName,
  StreamItem,
  StreamName,
  StreamSpec,
  StreamSpecs,
  TopicEventName,
  TopicKind,
  TopicName,
  ValidInput,
  ValidItem,
  ValidOutput,
  ValidPayload,
} from "./calls/contract.ts"
export { PendingCalls } from "./calls/pending-calls.ts"
export type { PendingCall, PendingCallOptions } from "./calls/pending-calls.ts"
export { HeldBucket, RateLimiter } from "./calls/rate-limit.ts"
export type { RateLimit } from "./calls/rate-limit.ts"

export { Delivery } from "./session/delivery.ts"
export type {
  DeliveryCounters,
  DeliveryHost,
  DeliveryLimits,
  DeliveryOwner,
  OtherEnd,
  ReliableOutcome,
  VolatileOutcome,
} from "./session/delivery-host.ts"
export { hashMessage } from "./session/digest.ts"
export { initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "./session/heartbeat.machine.ts"
export type {
  HeartbeatEffect,
  HeartbeatInput,
  HeartbeatOptions,
  HeartbeatState,
} from "./session/heartbeat.machine.ts"
export { RoundTrip, probePatience, wakePatience } from "./session/round-trip.ts"
export type { RoundTripBounds } from "./session/round-trip.ts"
export type { KeptBytes } from "./session/send-buffer.ts"
export type { StateUnderWay } from "./session/state-window.ts"
export { VolatileSlots } from "./session/volatile-slots.ts"
export { assertTopicName, isTopicName } from "./topics/topic-name.ts"
export { defineTopic, topicKindOf } from "./topics/topic-kind.ts"
export type { TopicGap, TopicGapReason, TopicPosition, TopicSpec, TopicSpecs } from "./topics/topic-kind.ts"
export {
  joinPayload,
  joinedPayload,
  leftPayload,
  presenceDepth,
  presencePayload,
  readJoined,
  readLeft,
  readPresenceEvent,
  topicCalls,
} from "./topics/topic-messages.ts"
export type {
  JoinReply,
  JoinRequest,
  JoinedEvent,
  JoinedGap,
  LeaveRequest,
  LeftEvent,
  PresenceEvent,
  PresenceList,
  PresenceRequest,
  PresentMember,
  PublishReply,
  PublishRequest,
  TopicCall,
} from "./topics/topic-messages.ts"
export { cellOf, cellsInRange, staysInView } from "./topics/interest-grid.ts"
export { flag, integer, oneOf, optional, real, text } from "./topics/replica-field.ts"
export type { Field, IntegerOptions, RealOptions } from "./topics/replica-field.ts"
export {
  encodeDelta,
  writeDelta,
  encodePlace,
  encodeSnapshot,
  partKind,
  readReplicaFrame,
} from "./topics/replica-parts.ts"
export type { CellChange, CellPlace, CellSnapshot, PartTarget, ReplicaHead } from "./topics/replica-parts.ts"
export { ReplicaSchema, defineReplica } from "./topics/replica-schema.ts"
export type {
  Fields,
  PackedRecord,
  RecordOf,
  RecordState,
  ReplicaArea,
  ReplicaSpec,
} from "./topics/replica-schema.ts"
export { BitReader, BitWriter } from "./topics/bits.ts"
