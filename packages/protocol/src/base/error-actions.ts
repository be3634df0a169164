// The advice to a caller for each code, which errors of profile `2.0` carry. Apart from the table, so that a client of
// `hawser.1` does not load it.
import { isErrorCode } from "./errors.ts"
import type { ErrorCode } from "./errors.ts"

const actions: Readonly<Record<ErrorCode, string>> = {
  sys_internal_error: "Try again later; the server's log has the cause.",
  sys_service_unavailable: "Try again later.",
  sys_invalid_message: "Correct the client; sending the same bytes again cannot work.",
  invalid_input: "Correct the fields that details.issues names.",
  not_available: "Do not send this request to this server.",
  forbidden: "Ask a user who has the permission.",
  rate_limited: "Wait for retryAfterMs, then send again.",
  timeout: "The outcome is unknown: look before repeating it.",
  cancelled: "Nothing to do: the caller cancelled it.",
  auth_required: "Send a token as the first message.",
  auth_timeout: "Send the token right after the socket opens.",
  auth_token_invalid: "Log in again for a new token.",
  auth_token_expired: "Fetch a fresh token.",
  auth_forbidden: "Ask the operator.",
  unsupported_version: "Update the older of client and server.",
  message_too_large: "Send smaller messages.",
  slow_consumer: "Reconnect; read faster or subscribe to less.",
  replaced: "Connect again only if the user asks for it.",
  session_ended: "Connect for a new session.",
  server_shutdown: "Reconnect in a moment; clients do so by themselves.",
  too_many_connections: "Close some, or wait for retryAfterMs.",
  connection_lost: "The outcome is unknown: look before repeating it.",
  connection_failed: "Check that the server runs and that the address, path and origin are right.",
  connection_timeout: "Check the address; the client tries again by itself.",
  not_connected: "Call connect() first.",
  client_closed: "Call connect() to open it again.",
  buffer_full: "Wait until the client's status is open before sending more.",
  invalid_reply: "Use the same version of the contract at client and server.",
  reconnect_exhausted: "Call connect() to start again.",
  session_unknown: "A new session has begun; load again what may have been missed.",
  session_expired: "A new session has begun; load again what may have been missed.",
  session_overflow: "A new session begins; load again what may have been missed.",
  session_diverged: "A new session begins; report this as a bug.",
  session_stolen:
    "A new session begins; a copied page shares its token, otherwise the token may have been stolen.",
  session_thrash: "Use the session in one page or process only.",
  server_restarted: "Open the stream again. A session has begun anew.",
  unsupported_limits: "Raise limits.message of the client, or lower limits.clientMessage of the server.",
  other_contract:
    "Connect to the server of the same contract: check the client's url, and the name in defineContract.",
  dropped: 'Nothing to do: the caller chose `whenOffline: "drop"`.',
}

/** Returns the advice to the caller for a code, as a sentence. */
export function suggestedAction(code: string): string {
  return isErrorCode(code) ? actions[code] : "Correct the request, or show the message to the user."
}
