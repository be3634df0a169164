// Sentences for the player about a request that was refused, or that has no answer. Never shows names of requests,
// limits or options. Pure.
import { HawserError } from "@hawser/client"

/** Returns the reason why a request was refused or failed, as one sentence. */
export function reasonFor(error: unknown): string {
  if (!HawserError.is(error)) return sentence(error instanceof Error ? error.message : String(error))
  switch (error.code) {
    case "rate_limited":
      return "That was too fast: try again in a moment."
    case "buffer_full":
      return "Too much is waiting for the connection already."
    case "timeout":
      return "The world did not answer in time."
    case "connection_lost":
      return HawserError.is(error.cause) ? lossReason(error.cause.code) : "The connection was lost."
    case "replaced":
      return "You are playing somewhere else."
    case "client_closed":
    case "not_connected":
    case "dropped":
      return "There is no connection to the world."
    case "sys_internal_error":
      return "Something failed in the world."
    case "sys_service_unavailable":
      return "The world is too busy for this now."
    case "invalid_input":
    case "message_too_large":
      return "The world does not accept this."
    case "invalid_reply":
      return "The world's answer could not be read."
    case "session_thrash":
      return "Too many pages play as you at the same time."
    default:
      return sentence(error.message)
  }
}

/** Returns true for an error that leaves open whether the world has done what was requested. */
export function isOutcomeUnknown(error: unknown): boolean {
  return HawserError.is(error) && unknownOutcomes.has(error.code)
}

const unknownOutcomes: ReadonlySet<string> = new Set([
  "connection_lost",
  "timeout",
  "invalid_reply",
  "sys_internal_error",
])

/** Returns the reason why a session ended, as one sentence. */
export function lossReason(cause: string): string {
  switch (cause) {
    case "session_expired":
      return "You were away for longer than the world keeps your place."
    case "session_overflow":
      return "More happened while you were away than the world could keep for you."
    case "session_unknown":
    case "server_shutdown":
      return "The world does not know your last session any more; it may have been restarted."
    case "replaced":
      return "You were playing somewhere else."
    case "auth_token_expired":
    case "auth_token_invalid":
    case "client_closed":
      return "Your log-in ended."
    default:
      return `Your session was lost (${cause}).`
  }
}

function sentence(text: string): string {
  const [first = "", ...rest] = text
  const capital = first.toUpperCase() + rest.join("")
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}
