// Exports the internals of the protocol to Hawser's client and server, which pin the exact version of this package.
// Not a public API: any release may change it.
export { suggestedAction } from "./base/error-actions.ts"
export { turnNow } from "./base/clock.ts"
export { assertLimit } from "./base/assert-limit.ts"
export {
  assertContract,
  assertGiven,
  assertOptionNames,
  assertOptions,
  assertType,
  nearest,
  unknownName,
} from "./base/check-options.ts"
export type { OptionTable } from "./base/check-options.ts"
export { RepeatLimit, repeatedWords } from "./base/repeat-limit.ts"
export { CodeTally } from "./base/code-tally.ts"
export type { CodeTallyOptions } from "./base/code-tally.ts"
export { applicationErrorWire, errorCodeOf, errorTable, errorWithCode, retiredErrors } from "./base/errors.ts"
export { idempotencyKeyMaxLength, streamWindowMax, voidMaxCount } from "./calls/call-limits.ts"
export { leastHeartbeatMs } from "./limits.ts"
export { defaultTopicHistory } from "./contract/history-limits.ts"
export { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
export { describeIssues, validate, validateNow } from "./contract/schema.ts"
export type { Validated, ValidationIssue } from "./contract/schema.ts"
export { TimerQueue } from "./base/timer-queue.ts"
export { closeReason, outbound } from "./transport.ts"
export type {
  Accept,
  AcceptedConnection,
  UpgradeHeaders,
  Connection,
  ConnectionEvents,
  Dial,
  DialEvents,
  DialFailure,
  OutboundMessage,
  ServerConnection,
} from "./transport.ts"
export { chooseProfile, subprotocol, wireVersion } from "./wire/version.ts"
export type { Profile } from "./wire/version.ts"
export { closeCode, isPageGone, retryAfterClose } from "./wire/close-code.ts"
export type { Codec, FrameClass } from "./wire/codec.ts"
export { classifyFirstByte, frameByte } from "./wire/frame-byte.ts"
export { createClientCodec } from "./wire/client-codec.ts"
export type { ClientCodec } from "./wire/client-codec.ts"
export { createFrameCodec } from "./wire/frame-codec.ts"
export { createServerCodec } from "./wire/server-codec.ts"
export type {
  BadFrame,
  CancelFrame,
  Author,
  ClientFrame,
  CommonFrame,
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
  ReplicaPartsFrame,
  ReplyFrame,
  RequestFrame,
  ResumeClaim,
  TopicEventFrame,
  VolatileFrame,
  WelcomeFrame,
  WireError,
} from "./wire/frame.ts"
export type { ReplicaHold } from "./wire/replica-hold.ts"
export { Encoded } from "./wire/encoded.ts"
export { createPayloadCodec, isMap } from "./wire/payload-codec.ts"
export type { PayloadCodec } from "./wire/payload-codec.ts"
export { escapedLine, oneLine, quoted } from "./base/quoted.ts"
export { isWellFormed, sentence } from "./base/sentence.ts"
export { outgoing, outgoingPayload } from "./wire/outgoing.ts"
export { TypeTable } from "./wire/type-table.ts"
export { UnsendableError, unsendable } from "./wire/unsendable.ts"
export type { UnsendableCode } from "./wire/unsendable.ts"
export { contractTypes, indexCalls, indexEvents, reservedTypes } from "./contract/contract-index.ts"
export type { CallEntry } from "./contract/contract-index.ts"
export type { CallKind } from "./contract/contract.ts"
export { PendingCalls } from "./calls/pending-calls.ts"
export type { PendingCall, PendingCallOptions } from "./calls/pending-calls.ts"
export { HeldBucket, RateLimiter } from "./calls/rate-limiter.ts"
export { ClientDelivery } from "./session/client-delivery.ts"
export { ServerDelivery } from "./session/server-delivery.ts"
export type { DeliveryRecord, ReceivedRecord, SentRecord, ValueRecord } from "./session/delivery-record.ts"
export type {
  DeliveryCounters,
  DeliveryHost,
  DeliveryLimits,
  DeliveryOwner,
  OtherEnd,
  ReliableOutcome,
  VolatileOutcome,
} from "./session/delivery-host.ts"
export { emptyDigest, extendDigest, hashMessage } from "./session/digest.ts"
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
export { assertTopicName, isTopicName, topicNameFault } from "./contract/topic-name.ts"
export { topicKindOf } from "./contract/topic-kind.ts"
export {
  joinPayload,
  joinedPayload,
  leftPayload,
  presenceDepth,
  presencePayload,
  readJoined,
  readLeft,
  readPresenceEvent,
  topicReplies,
  topicRequests,
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
export { cellOf, cellsInRange, staysInView } from "./replicas/interest-grid.ts"
export {
  encodeDelta,
  writeDelta,
  encodePlace,
  encodeSnapshot,
  partKind,
  readReplicaFrame,
} from "./replicas/replica-parts.ts"
export type {
  CellChange,
  CellPlace,
  CellSnapshot,
  PartTarget,
  ReplicaHead,
} from "./replicas/replica-parts.ts"
export { writeMask, writeRecord } from "./replicas/write-record.ts"
export { fieldKinds } from "./contract/replica-field.ts"
export type { FieldShape } from "./contract/replica-field.ts"
export { ReplicaSchema } from "./contract/replica-schema.ts"
export type { PackedRecord, RecordState } from "./contract/replica-schema.ts"
export { BitReader, BitWriter } from "./base/bits.ts"
