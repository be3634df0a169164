// Every error the product itself can raise: one table, one class. Applications add their own codes beside it.

export type Retry = "never" | "later" | "afterReauth"
/** Categories as protocol `2.0` names them; they tell a person whose fault it was. */
export type ErrorCategory = "validation" | "permission" | "system" | "rate_limit"

interface ErrorFacts {
  /** The number that stands for the code on the wire. Never reused. 0 is success, 1 a code of the application. */
  readonly wire: number
  /** The close code of a connection that ends because of this error; absent where none does. */
  readonly close?: number
  readonly retry: Retry
  readonly category: ErrorCategory
}

interface ErrorRow extends ErrorFacts {
  /** What happened, when nothing more exact is said. */
  readonly sentence: string
  /** What the caller can do next. */
  readonly action: string
}

const row = (facts: ErrorFacts, sentence: string, action: string): ErrorRow => ({
  ...facts,
  sentence,
  action,
})

/** Documented one by one in docs/errors.md; a test keeps the two together. */
export const errorTable = {
  sys_internal_error: row(
    { wire: 2, close: 4500, retry: "later", category: "system" },
    "The server failed while handling this.",
    "Try again later; the server's log has the cause.",
  ),
  sys_service_unavailable: row(
    { wire: 3, close: 4503, retry: "later", category: "system" },
    "The server cannot take this now.",
    "Try again later.",
  ),
  sys_invalid_message: row(
    { wire: 4, close: 4400, retry: "never", category: "validation" },
    "The message does not follow the protocol.",
    "Correct the client; sending the same bytes again cannot work.",
  ),
  invalid_input: row(
    { wire: 5, retry: "never", category: "validation" },
    "The input does not fit the contract.",
    "Correct the fields that details.issues names.",
  ),
  not_available: row(
    { wire: 6, retry: "never", category: "system" },
    "This server does not offer that.",
    "Do not send this request to this server.",
  ),
  forbidden: row(
    { wire: 7, close: 4403, retry: "never", category: "permission" },
    "You are not allowed to do this.",
    "Ask somebody with the permission.",
  ),
  rate_limited: row(
    { wire: 8, close: 4429, retry: "later", category: "rate_limit" },
    "Too many messages of this kind.",
    "Wait for retryAfterMs, then send again.",
  ),
  timeout: row(
    { wire: 9, retry: "later", category: "system" },
    "No reply came in time.",
    "The outcome is unknown: look before repeating it.",
  ),
  cancelled: row(
    { wire: 10, retry: "never", category: "system" },
    "The request was cancelled.",
    "Nothing to do: the caller asked for it.",
  ),
  auth_required: row(
    { wire: 11, close: 4401, retry: "afterReauth", category: "permission" },
    "The first message must authenticate.",
    "Send a token as the first message.",
  ),
  auth_timeout: row(
    { wire: 12, close: 4401, retry: "later", category: "permission" },
    "No authentication came in time.",
    "Send the token right after the socket opens.",
  ),
  auth_token_invalid: row(
    { wire: 13, close: 4401, retry: "afterReauth", category: "permission" },
    "The token is not valid.",
    "Log in again for a new token.",
  ),
  auth_token_expired: row(
    { wire: 14, close: 4401, retry: "afterReauth", category: "permission" },
    "The token has expired.",
    "Fetch a fresh token.",
  ),
  auth_forbidden: row(
    { wire: 16, close: 4403, retry: "never", category: "permission" },
    "This account may not connect.",
    "Ask the operator.",
  ),
  unsupported_version: row(
    { wire: 17, close: 4400, retry: "never", category: "validation" },
    "The other end speaks another wire version.",
    "Update the older end.",
  ),
  message_too_large: row(
    { wire: 18, close: 4413, retry: "never", category: "validation" },
    "The message is larger than the limit.",
    "Send smaller messages.",
  ),
  slow_consumer: row(
    { wire: 19, close: 4408, retry: "later", category: "system" },
    "The connection did not take its messages in time.",
    "Reconnect; read faster or ask for less.",
  ),
  replaced: row(
    { wire: 20, close: 4409, retry: "never", category: "system" },
    "The same user connected elsewhere.",
    "Connect again only if the user asks for it.",
  ),
  session_ended: row(
    { wire: 21, close: 4410, retry: "later", category: "system" },
    "The session has ended.",
    "Connect for a new session.",
  ),
  server_shutdown: row(
    { wire: 22, close: 4503, retry: "later", category: "system" },
    "The server is shutting down.",
    "Reconnect in a moment; clients do so by themselves.",
  ),
  too_many_connections: row(
    { wire: 23, close: 4429, retry: "later", category: "rate_limit" },
    "Too many connections.",
    "Close some, or wait for retryAfterMs.",
  ),
  connection_lost: row(
    { wire: 25, retry: "later", category: "system" },
    "The connection was lost before the reply.",
    "The outcome is unknown: look before repeating it.",
  ),
  connection_failed: row(
    { wire: 40, retry: "later", category: "system" },
    "The connection could not be opened.",
    "Check that the server runs and that the address, path and origin are right.",
  ),
  connection_timeout: row(
    { wire: 26, retry: "later", category: "system" },
    "The server did not answer the connection attempt in time.",
    "Check the address; the client tries again by itself.",
  ),
  not_connected: row(
    { wire: 27, retry: "later", category: "system" },
    "The client is not connected.",
    "Call connect() first.",
  ),
  client_closed: row(
    { wire: 28, retry: "never", category: "system" },
    "The client was closed.",
    "Call connect() to open it again.",
  ),
  buffer_full: row(
    { wire: 29, retry: "later", category: "system" },
    "Too much is waiting to be sent.",
    "Wait until the client is open again before sending more.",
  ),
  invalid_reply: row(
    { wire: 30, retry: "never", category: "validation" },
    "What the server sent does not fit the contract.",
    "Use the same version of the contract on both ends.",
  ),
  reconnect_exhausted: row(
    { wire: 31, retry: "later", category: "system" },
    "The reconnection strategy gave up.",
    "Call connect() to start again.",
  ),
  session_unknown: row(
    { wire: 32, retry: "later", category: "system" },
    "The server does not know this session (any more).",
    "A new session has begun; load again what may have been missed.",
  ),
  session_expired: row(
    { wire: 33, close: 4410, retry: "later", category: "system" },
    "The client was away for longer than the session is kept.",
    "A new session has begun; load again what may have been missed.",
  ),
  session_overflow: row(
    { wire: 34, close: 4410, retry: "later", category: "system" },
    "More had to be kept for the client than a session may hold.",
    "A new session begins; load again what may have been missed.",
  ),
  session_diverged: row(
    { wire: 35, close: 4410, retry: "later", category: "system" },
    "The two ends disagree about what was sent.",
    "A new session begins; report this, it should not happen.",
  ),
  session_stolen: row(
    { wire: 36, close: 4410, retry: "later", category: "permission" },
    "A resume token that was no longer valid was presented.",
    "A new session begins; a copied page shares its token, otherwise somebody may have taken it.",
  ),
  session_thrash: row(
    { wire: 37, close: 4410, retry: "later", category: "system" },
    "Connections took the session from one another too often.",
    "Use the session from one place only.",
  ),
  server_restarted: row(
    { wire: 41, retry: "later", category: "system" },
    "The stream ended because its server process was replaced.",
    "Open the stream again.",
  ),
  unsupported_limits: row(
    { wire: 39, close: 4400, retry: "never", category: "validation" },
    "The client takes smaller messages than this server sends.",
    "Raise limits.message of the client, or lower limits.clientMessage of the server.",
  ),
  dropped: row(
    { wire: 38, retry: "later", category: "system" },
    "The request was not sent because the connection is not open.",
    'Nothing to do: the caller chose `whenOffline: "drop"`.',
  ),
} satisfies Record<string, ErrorRow>

/** The codes of the product itself. */
export type ErrorCode = keyof typeof errorTable

const codeByWire = new Map(Object.entries(errorTable).map(([code, entry]) => [entry.wire, code]))

/** Wire numbers and names of codes that were in the table. Both stay reserved: no new code takes them. */
export const retiredErrors: Readonly<Record<number, string>> = { 15: "auth_player_not_found" }

/** The wire number of an application's own code; the code itself travels as text. */
export const applicationErrorWire = 1

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

/** The code behind a wire number; undefined for 0, 1 and numbers of a later version. */
export function errorCodeOf(wire: number): string | undefined {
  return codeByWire.get(wire)
}

export interface HawserErrorOptions {
  /** What happened, which value, what to do next. Default: the table's sentence. */
  readonly message?: string
  /** Facts for a program. Must be encodable as MessagePack. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Milliseconds after which the same call may succeed. */
  readonly retryAfterMs?: number
  readonly retry?: Retry
  readonly category?: ErrorCategory
  readonly cause?: unknown
}

const brand = Symbol.for("hawser.error")

/**
 * An error with a code. Handlers throw it to answer a request; clients receive it as the rejection of one.
 * `code` is a row of `errorTable` or an application's own lower_snake code.
 */
export class HawserError extends Error {
  readonly code: string
  readonly retry: Retry
  readonly category: ErrorCategory
  readonly details: Readonly<Record<string, unknown>> | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode | (string & {}), options: HawserErrorOptions = {}) {
    const known = isErrorCode(code) ? errorTable[code] : undefined
    super(
      options.message ?? known?.sentence ?? code,
      options.cause === undefined ? {} : { cause: options.cause },
    )
    this.name = "HawserError"
    this.code = code
    this.retry = options.retry ?? known?.retry ?? "never"
    this.category = options.category ?? known?.category ?? "validation"
    this.details = options.details
    this.retryAfterMs = options.retryAfterMs
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for an error of any copy of this package. */
  static is(value: unknown): value is HawserError {
    return typeof value === "object" && value !== null && brand in value
  }
}

/** What the caller can do next, as a sentence. */
export function suggestedAction(code: string): string {
  return isErrorCode(code) ? errorTable[code].action : "Correct the request, or show the message to the user."
}
