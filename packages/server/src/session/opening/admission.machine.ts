// Admits or refuses a connection before it has a session: first message, deadlines, early messages, verdict on the token.
// Must not know sessions, handlers and stores.
// Invariants: at most one token is verified and one session claimed per connection; no effect follows `refuse` or `release`.
import { clientMessageLimits } from "@hawser/protocol/core"
import type { AdmissionRules } from "../conversation/dialect.ts"
import type { MessageLimits } from "@hawser/protocol"
import type { BadFrame, Frame, HelloFrame, Reference, WireError } from "@hawser/protocol/core"

/** Bounds and rules of one dialect's connections. */
export interface AdmissionOptions {
  readonly rules: AdmissionRules
  readonly helloMaxBytes: number
  readonly authTimeoutMs: number
  /** Time limit of the session store's answer. */
  readonly claimTimeoutMs: number
  readonly earlyMaxCount: number
  readonly earlyMaxBytes: number
  readonly wireVersion: number
  /** Limits of messages to clients. A client with a smaller limit is refused with `unsupported_limits`. */
  readonly clientMessage: MessageLimits
}

export type AdmissionState =
  | { readonly kind: "awaitingHello"; readonly deadlineMs: number }
  /** `verifying`: the token is being verified. `claiming`: the session store is being asked. */
  | {
      readonly kind: "verifying" | "claiming"
      readonly deadlineMs: number
      readonly reference: Reference
      readonly heldCount: number
      readonly heldBytes: number
    }
  | { readonly kind: "done" }

export type AdmissionInput =
  | { readonly kind: "frame"; readonly frame: Frame | BadFrame; readonly bytes: number }
  | { readonly kind: "text" }
  | { readonly kind: "verified"; readonly nowMs: number }
  /** The session is bound to the connection. */
  | { readonly kind: "opened" }
  | { readonly kind: "rejected"; readonly error: WireError }
  | { readonly kind: "wake"; readonly nowMs: number }

export type AdmissionEffect =
  | { readonly kind: "verify"; readonly hello: HelloFrame }
  /** Keep a message that arrived before WELCOME until the session is open. */
  | { readonly kind: "hold" }
  /** Claim or open a session, and bind it. */
  | { readonly kind: "claim" }
  /** Pass the held messages to the session. */
  | { readonly kind: "release" }
  | {
      readonly kind: "refuse"
      readonly error: WireError
      readonly reference: Reference
      readonly text: boolean
    }

type Step = readonly [AdmissionState, readonly AdmissionEffect[]]

export function initialAdmission(options: AdmissionOptions, nowMs: number): AdmissionState {
  return { kind: "awaitingHello", deadlineMs: nowMs + options.authTimeoutMs }
}

export function wakeAtAdmission(state: AdmissionState): number | undefined {
  return state.kind === "done" ? undefined : state.deadlineMs
}

export function stepAdmission(options: AdmissionOptions, state: AdmissionState, input: AdmissionInput): Step {
  if (state.kind === "done") return [state, []]
  switch (input.kind) {
    case "frame":
      return state.kind === "awaitingHello" ? first(options, state, input) : early(options, state, input)
    case "text":
      return refuse(invalid("text messages are not part of any profile"), null, true)
    case "verified":
      return state.kind === "verifying"
        ? [
            { ...state, kind: "claiming", deadlineMs: input.nowMs + options.claimTimeoutMs },
            [{ kind: "claim" }],
          ]
        : [state, []]
    case "opened":
      return state.kind === "claiming" ? [{ kind: "done" }, [{ kind: "release" }]] : [state, []]
    case "rejected":
      return state.kind === "awaitingHello" ? [state, []] : refuse(input.error, state.reference)
    case "wake": {
      if (input.nowMs < state.deadlineMs) return [state, []]
      if (state.kind === "claiming") return refuse(storeSilent(options.claimTimeoutMs), state.reference)
      const message = `no verified token within ${options.authTimeoutMs} ms (limits.authTimeoutMs)`
      const reference = state.kind === "awaitingHello" ? null : state.reference
      return refuse({ code: "auth_timeout", message, category: "permission" }, reference)
    }
  }
}

function first(
  options: AdmissionOptions,
  { deadlineMs }: Extract<AdmissionState, { kind: "awaitingHello" }>,
  { frame, bytes }: Extract<AdmissionInput, { kind: "frame" }>,
): Step {
  const { rules } = options
  if (bytes > options.helloMaxBytes) {
    const message = `the first message has ${bytes} bytes; the limit is ${options.helloMaxBytes} (limits.helloMaxBytes)`
    return refuse({ code: "message_too_large", message, category: "validation" }, referenceOf(frame))
  }
  if (frame.kind === "bad") return refuse(frame.error, frame.reference)
  if (frame.kind !== "hello") {
    const reference = frame.kind === "request" ? frame.reference : null
    return refuse({ ...rules.unauthenticated, message: "the first message must authenticate" }, reference)
  }
  if (rules.negotiates && Math.abs(frame.version - options.wireVersion) > 1) {
    const message = `this server speaks wire version ${options.wireVersion}, the client ${frame.version}`
    return refuse({ code: "unsupported_version", message, category: "validation" }, null)
  }
  const narrow = rules.negotiates ? narrowLimit(options.clientMessage, frame.limits) : undefined
  if (narrow !== undefined)
    return refuse({ code: "unsupported_limits", message: narrow, category: "validation" }, null)
  return [
    { kind: "verifying", deadlineMs, reference: frame.reference, heldCount: 0, heldBytes: 0 },
    [{ kind: "verify", hello: frame }],
  ]
}

/** Returns a sentence about the first limit of the client that is below the server's; undefined if none is. */
function narrowLimit(sent: MessageLimits, reads: MessageLimits = clientMessageLimits): string | undefined {
  for (const name of ["maxBytes", "maxDepth", "maxElements", "maxKeyBytes"] as const) {
    if (reads[name] < sent[name])
      return `this server sends messages of ${name} ${sent[name]}, the client takes ${reads[name]} (limits.message.${name})`
  }
  return undefined
}

function early(
  options: AdmissionOptions,
  state: Extract<AdmissionState, { kind: "verifying" | "claiming" }>,
  { frame, bytes }: { readonly frame: Frame | BadFrame; readonly bytes: number },
): Step {
  if (!options.rules.holdsEarly) return refuse(invalid("a message arrived between HELLO and WELCOME"), null)
  if (frame.kind === "hello") return refuse(invalid("a second cmd_authenticate"), frame.reference)
  if (state.heldCount >= options.earlyMaxCount) {
    return refuse(
      invalid(`more than ${options.earlyMaxCount} messages before event_welcome (limits.earlyMaxCount)`),
      null,
    )
  }
  const heldBytes = state.heldBytes + bytes
  if (heldBytes > options.earlyMaxBytes) {
    return refuse(
      invalid(`more than ${options.earlyMaxBytes} bytes before event_welcome (limits.earlyMaxBytes)`),
      null,
    )
  }
  return [{ ...state, heldCount: state.heldCount + 1, heldBytes }, [{ kind: "hold" }]]
}

/** Returns the reference of a message, for its refusal; null if it has none. */
function referenceOf(frame: Frame | BadFrame): Reference {
  return "reference" in frame ? frame.reference : null
}

function storeSilent(claimTimeoutMs: number): WireError {
  const message = `the session store did not answer within ${claimTimeoutMs} ms (limits.claimTimeoutMs); retry in a moment`
  return { code: "sys_service_unavailable", message, category: "system" }
}

function invalid(message: string): WireError {
  return { code: "sys_invalid_message", message, category: "validation" }
}

function refuse(error: WireError, reference: Reference, text = false): Step {
  return [{ kind: "done" }, [{ kind: "refuse", error, reference, text }]]
}
