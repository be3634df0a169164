// Exports the names that applications use: contract, errors, payloads and limits.
export type { ChosenLimits } from "./base/assert-limit.ts"
export type { Clock } from "./base/clock.ts"
export { HawserError, isErrorCode } from "./base/errors.ts"
export type { ErrorCategory, ErrorCode, HawserErrorOptions, Retry } from "./base/errors.ts"
export { defaultClientLimits } from "./client-limits.ts"
export type { ClientLimits } from "./client-limits.ts"
export { defaultServerLimits } from "./limits.ts"
export type { ServerLimits } from "./limits.ts"
export type { TopicHistoryLimits } from "./contract/history-limits.ts"
export type { MessageLimits } from "./wire/message-limits.ts"
export type { Schema, SchemaInput, SchemaOutput } from "./contract/schema.ts"
export { encodeOnce, encodedArray, encodedMap, plain } from "./wire/encoded.ts"
export type { Encodable, Encoded } from "./wire/encoded.ts"
export type { Author } from "./wire/frame.ts"
export { defineContract } from "./contract/contract.ts"
export type {
  CallArguments,
  CallInput,
  CallOutput,
  CallSpec,
  CallSpecs,
  CommandName,
  Contract,
  DefinedContract,
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
  SentPayload,
  StreamItem,
  StreamName,
  StreamSpec,
  StreamSpecs,
  TopicEventName,
  TopicKind,
  TopicName,
  TopicReplicaName,
  TopicReplicaRecord,
  Trusted,
  ValidInput,
  ValidItem,
  ValidOutput,
  ValidPayload,
} from "./contract/contract.ts"
export type {
  ContractError,
  ContractErrorOptions,
  ContractErrors,
  ErrorArguments,
  ErrorSpecs,
} from "./contract/contract-errors.ts"
export { mergeContracts } from "./contract/merge-contracts.ts"
export type { RateLimit } from "./contract/rate-limit.ts"
export { defineTopic } from "./contract/topic-kind.ts"
export type { TopicGap, TopicGapReason, TopicPosition, TopicSpec, TopicSpecs } from "./contract/topic-kind.ts"
export { flag, integer, oneOf, optional, real, text } from "./contract/replica-field.ts"
export type { Field, IntegerOptions, RealOptions } from "./contract/replica-field.ts"
export { defineReplica } from "./contract/replica-schema.ts"
export type { Fields, RecordOf, ReplicaArea, ReplicaSpec } from "./contract/replica-schema.ts"
