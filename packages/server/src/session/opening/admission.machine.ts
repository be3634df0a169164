// Admits or refuses a connection before it has a session: first message, deadlines, early messages, verdict on the token.
// Must not know sessions, handlers and stores.
// Invariants: at most one token is verified and one session claimed per connection; no effect follows `refuse` or `release`.
import { clientMessageLimits, errorTable, quoted } from "@hawser/protocol/core"
import type { AdmissionRules } from "../conversation/dialect.ts"
import type { ErrorCode, MessageLimits, ServerLimits } from "@hawser/protocol"
import type { BadFrame, Frame, HelloFrame, Reference, WireError } from "@hawser/protocol/core"

/** Bounds and rules of one dialect's connections. */
export interface AdmissionOptions {
  readonly rules: AdmissionRules
  readonly wireVersion: number
  /** Name of the server's contract. */
  readonly contractName: string
  readonly limits: Pick<
    ServerLimits,
    "helloMaxBytes" | "authTimeoutMs" | "claimTimeoutMs" | "earlyMaxCount" | "earlyMaxBytes" | "clientMessage"
  >
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

export function initialAdmission({ limits }: AdmissionOptions, nowMs: number): AdmissionState {
  return { kind: "awaitingHello", deadlineMs: nowMs + limits.authTimeoutMs }
}

export function wakeAtAdmission(state: AdmissionState): number | undefined {
  return state.kind === "done" ? undefined : state.deadlineMs
}

export function stepAdmission(options: AdmissionOptions, state: AdmissionState, input: AdmissionInput): Step {
  if (state.kind === "done") return [state, []]
  const { authTimeoutMs, claimTimeoutMs } = options.limits
  switch (input.kind) {
    case "frame":
      return state.kind === "awaitingHello" ? first(options, state, input) : early(options, state, input)
    case "text":
      return refuse(errorOf("sys_invalid_message", "text messages are not part of any profile"), null, true)
    case "verified":
      return state.kind === "verifying"
        ? [{ ...state, kind: "claiming", deadlineMs: input.nowMs + claimTimeoutMs }, [{ kind: "claim" }]]
        : [state, []]
    case "opened":
      return state.kind === "claiming" ? [{ kind: "done" }, [{ kind: "release" }]] : [state, []]
    case "rejected":
      return state.kind === "awaitingHello" ? [state, []] : refuse(input.error, state.reference)
    case "wake": {
      if (input.nowMs < state.deadlineMs) return [state, []]
      const error =
        state.kind === "claiming"
          ? errorOf(
              "sys_service_unavailable",
              `the session store did not answer within ${claimTimeoutMs} ms (limits.claimTimeoutMs); retry in a moment`,
            )
          : errorOf("auth_timeout", `no verified token within ${authTimeoutMs} ms (limits.authTimeoutMs)`)
      return refuse(error, state.kind === "awaitingHello" ? null : state.reference)
    }
  }
}

function first(
  { rules, limits, wireVersion, contractName }: AdmissionOptions,
  { deadlineMs }: Extract<AdmissionState, { kind: "awaitingHello" }>,
  { frame, bytes }: Extract<AdmissionInput, { kind: "frame" }>,
): Step {
  const { helloMaxBytes } = limits
  if (bytes > helloMaxBytes) {
    const message = `the first message has ${bytes} bytes; the limit is ${helloMaxBytes} (limits.helloMaxBytes)`
    return refuse(errorOf("message_too_large", message), "reference" in frame ? frame.reference : null)
  }
  if (frame.kind === "bad") return refuse(frame.error, frame.reference)
  if (frame.kind !== "hello") {
    const reference = frame.kind === "request" ? frame.reference : null
    return refuse({ ...rules.unauthenticated, message: "the first message must authenticate" }, reference)
  }
  if (rules.negotiates && Math.abs(frame.version - wireVersion) > 1) {
    const message = `this server speaks wire version ${wireVersion}, the client ${frame.version}`
    return refuse(errorOf("unsupported_version", message), null)
  }
  if (rules.negotiates && frame.contract !== undefined && frame.contract !== contractName) {
    const message = `this server has the contract ${quoted(contractName)}, the client ${quoted(frame.contract)}`
    return refuse(errorOf("other_contract", message), null)
  }
  const narrow = rules.negotiates ? narrowLimit(limits.clientMessage, frame.limits) : undefined
  if (narrow !== undefined) return refuse(errorOf("unsupported_limits", narrow), null)
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
  { rules, limits }: AdmissionOptions,
  state: Extract<AdmissionState, { kind: "verifying" | "claiming" }>,
  { frame, bytes }: Extract<AdmissionInput, { kind: "frame" }>,
): Step {
  const { earlyMaxCount, earlyMaxBytes } = limits
  const refused = (message: string, reference: Reference = null): Step =>
    refuse(errorOf("sys_invalid_message", message), reference)
  if (!rules.holdsEarly) return refused("a message arrived between HELLO and WELCOME")
  if (frame.kind === "hello") return refused("a second cmd_authenticate", frame.reference)
  if (state.heldCount >= earlyMaxCount)
    return refused(`more than ${earlyMaxCount} messages before event_welcome (limits.earlyMaxCount)`)
  const heldBytes = state.heldBytes + bytes
  if (heldBytes > earlyMaxBytes)
    return refused(`more than ${earlyMaxBytes} bytes before event_welcome (limits.earlyMaxBytes)`)
  return [{ ...state, heldCount: state.heldCount + 1, heldBytes }, [{ kind: "hold" }]]
}

function errorOf(code: ErrorCode, message: string): WireError {
  return { code, message, category: errorTable[code].category }
}

function refuse(error: WireError, reference: Reference, text = false): Step {
  return [{ kind: "done" }, [{ kind: "refuse", error, reference, text }]]
}
