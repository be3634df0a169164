// The dialect of `2.0`: envelopes; names and payloads translated by the application; no counts, no resume. A message without a
// translation passes unchanged.
import { HawserError, plain } from "@hawser/protocol"
import type { Contract } from "@hawser/protocol"
import {
  assertOptionNames,
  assertOptions,
  clientMessageLimits,
  closeCode,
  indexCalls,
  isMap,
} from "@hawser/protocol/core"
import type { Codec, OptionTable, WireError } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import { closeCodeOf } from "../session/conversation/close-codes.ts"
import type { BadReaction, Dialect, DialectFactory, DialectHost } from "../session/conversation/dialect.ts"
import type { Event20, Profile20 } from "./options.ts"
import { Outbound20 } from "./outbound.ts"

const profile20Options: OptionTable<Profile20<Contract, AuthenticatedUser>> = {
  welcome: "function",
  requests: "object",
  replies: "object",
  error: "function",
  events: "object",
  replicas: "object",
}

/**
 * Returns the value of `createServer`'s option `profile20`, which serves clients of protocol `2.0`. Without that option a client
 * that offers no subprotocol is refused with HTTP 400.
 * @param options translation of names and payloads. Default: names and payloads pass unchanged.
 * @throws TypeError for an unknown option, and for one of the wrong type.
 */
export function profile20<C extends Contract, User extends AuthenticatedUser>(
  options?: Profile20<C, User>,
): DialectFactory<C, User>
export function profile20(
  options: Profile20<Contract, AuthenticatedUser> = {},
): DialectFactory<Contract, AuthenticatedUser> {
  assertOptions("profile20", options, profile20Options)
  return (host) => createDialect20(options, host)
}

function createDialect20(
  options: Profile20<Contract, AuthenticatedUser>,
  host: DialectHost,
): Dialect<AuthenticatedUser> {
  const { contract, limits } = host
  const { commands, queries } = contract
  assertOptionNames("replies of profile20", options.replies, { ...commands, ...queries })
  assertOptionNames("events of profile20", options.events, contract.events)
  assertOptionNames("replicas of profile20", options.replicas, contract.replicas)
  const codec = createCodec20(host)
  // Maps, because a name such as `toString` has no translation.
  const requests = new Map(Object.entries(options.requests ?? {}))
  const replies = new Map(Object.entries(options.replies ?? {}))
  const events = new Map(Object.entries(options.events ?? {}))
  const replicas = new Map(Object.entries(options.replicas ?? {}))
  const calls = indexCalls(contract)
  const takesInput = (name: string): boolean => calls.get(name)?.spec.input !== undefined
  const encode = (translated: readonly Event20[]): readonly Uint8Array[] =>
    translated.map(({ name, payload }) => codec.encode({ kind: "event", type: name, payload }))
  return {
    profile: "2.0",
    codec,
    counts: false,
    admission: {
      negotiates: false,
      holdsEarly: true,
      unauthenticated: { code: "auth_required", category: "permission" },
    },
    held: { heldMaxCount: 0, heldMaxBytes: 0 },
    overflow: "slow_consumer",
    request({ type, payload }) {
      const { name, input } = requests.get(type)?.(asMap(payload)) ?? { name: type, input: payload }
      // A payload of 2.0 is a map, also for a call that has no input.
      return { name, input: isEmpty(input) && !takesInput(name) ? undefined : input }
    },
    reply: (name, output, session) => replies.get(name)?.(plain(output), session) ?? output,
    error: (error, type) => options.error?.(error, type) ?? error,
    assertServes(feature) {
      const message =
        feature === "streams" ? "protocol 2.0 has no streams" : "protocol 2.0 has no topics for clients"
      throw new HawserError("not_available", { message })
    },
    outbound: () => new Outbound20(host, codec),
    welcome: (session) => options.welcome?.(session) ?? {},
    refusal: (error, reference) => ({
      error: loginError(error),
      frame: (sent) => ({ kind: "reply", reference, outcome: { ok: false, error: sent } }),
    }),
    closeCode: closeCode20,
    bad: (_error, badCount) => badReaction(badCount, limits.badMessagesMax),
    publication: ({ name, payload }) =>
      encode(events.get(name)?.(plain(payload)) ?? [{ name, payload: asMap(plain(payload)) }]),
    replicaChange: (replica, change) => encode(replicas.get(replica)?.(change) ?? []),
  }
}

/** Returns a map unchanged and any other value as `{ value }`: payloads of `2.0` are maps. */
function asMap(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : { value }
}

function isEmpty(input: unknown): boolean {
  return input === null || (isMap(input) && Object.keys(input).length === 0)
}

/** Creates the codec. A client of `2.0` cannot name its limits, so sent messages fit `clientMessageLimits` of the known clients. */
function createCodec20({ limits, wallClockMs }: DialectHost): Codec {
  const { message, clientMessage } = limits
  const maxBytes = Math.min(clientMessage.maxBytes, clientMessageLimits.maxBytes)
  const writes = { ...clientMessage, maxBytes }
  const codec = createEnvelopeCodec({ side: "server", limits: message, writes, wallClockMs })
  // Messages of `2.0` are not numbered, and none is processed ahead of others.
  return { ...codec, classify: (bytes) => (bytes.length === 0 ? "invalid" : "uncounted") }
}

/** Replies to bad messages with errors up to the bound, because the known clients send some by accident. */
function badReaction(badCount: number, badMessagesMax: number): BadReaction {
  if (badCount <= badMessagesMax) return { kind: "reply" }
  const message = `more than ${badMessagesMax} bad messages (limits.badMessagesMax)`
  return { kind: "end", code: "sys_invalid_message", ending: { message } }
}

/**
 * Maps the error of a first message. Clients of `2.0` stop dialling only for an `auth_*` code, so each fault gets one.
 * `message_too_large` keeps its code: the same log-in with a shorter token would succeed.
 */
function loginError(error: WireError): WireError {
  if (error.code === "message_too_large") return error
  if (error.category !== "validation" && error.code !== "sys_invalid_message") return error
  return { ...error, code: "auth_required", category: "permission" }
}

function closeCode20(code: string): number {
  if (code === "text_message") return closeCode.unsupportedData
  if (code === "server_shutdown") return closeCode.serviceRestart
  if (code === "sys_invalid_message") return closeCode.protocolViolation
  const close = closeCodeOf(code)
  return close === closeCode.authentication || close === closeCode.forbidden || code === "message_too_large"
    ? closeCode.policyViolation
    : close
}
