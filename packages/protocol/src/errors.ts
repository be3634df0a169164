// Every error the product itself can raise: one table, one class. Applications add their own codes beside it.

export type Retry = "never" | "later" | "afterReauth"
/** Categories as protocol `2.0` names them; they tell a person whose fault it was. */
export type ErrorCategory = "validation" | "permission" | "system" | "rate_limit"

interface ErrorRow {
  /** The number that stands for the code on the wire. Never reused. 0 is success, 1 a code of the application. */
  readonly wire: number
  /** The close code of a connection that ends because of this error; undefined where none does. */
  readonly close: number | undefined
  readonly retry: Retry
  readonly category: ErrorCategory
  /** What happened, when nothing more exact is said. */
  readonly sentence: string
  /** What the caller can do next. */
  readonly action: string
}

const row = (
  wire: number,
  close: number | undefined,
  retry: Retry,
  category: ErrorCategory,
  sentence: string,
  action: string,
): ErrorRow => ({ wire, close, retry, category, sentence, action })

/** Documented one by one in docs/errors.md; a test keeps the two together. */
export const errorTable = {
  sys_internal_error: row(
    2,
    4500,
    "later",
    "system",
    "The server failed while handling this.",
    "Try again later; the server's log has the cause.",
  ),
  sys_service_unavailable: row(
    3,
    4503,
    "later",
    "system",
    "The server cannot take this now.",
    "Try again later.",
  ),
  sys_invalid_message: row(
    4,
    4400,
    "never",
    "validation",
    "The message does not follow the protocol.",
    "Correct the client; sending the same bytes again cannot work.",
  ),
  invalid_input: row(
    5,
    undefined,
    "never",
    "validation",
    "The input does not fit the contract.",
    "Correct the fields that details.issues names.",
  ),
  not_available: row(
    6,
    undefined,
    "never",
    "system",
    "This server does not offer that.",
    "Do not send this request to this server.",
  ),
  forbidden: row(
    7,
    4403,
    "never",
    "permission",
    "You are not allowed to do this.",
    "Ask somebody with the permission.",
  ),
  rate_limited: row(
    8,
    4429,
    "later",
    "rate_limit",
    "Too many messages of this kind.",
    "Wait for retryAfterMs, then send again.",
  ),
  timeout: row(
    9,
    undefined,
    "later",
    "system",
    "No reply came in time.",
    "The outcome is unknown: look before repeating it.",
  ),
  cancelled: row(
    10,
    undefined,
    "never",
    "system",
    "The request was cancelled.",
    "Nothing to do: the caller asked for it.",
  ),
  auth_required: row(
    11,
    4401,
    "afterReauth",
    "permission",
    "The first message must authenticate.",
    "Send a token as the first message.",
  ),
  auth_timeout: row(
    12,
    4401,
    "later",
    "permission",
    "No authentication came in time.",
    "Send the token right after the socket opens.",
  ),
  auth_token_invalid: row(
    13,
    4401,
    "afterReauth",
    "permission",
    "The token is not valid.",
    "Log in again for a new token.",
  ),
  auth_token_expired: row(
    14,
    4401,
    "afterReauth",
    "permission",
    "The token has expired.",
    "Fetch a fresh token.",
  ),
  auth_player_not_found: row(
    15,
    4401,
    "afterReauth",
    "permission",
    "The token's account does not exist.",
    "Log in with an existing account.",
  ),
  auth_forbidden: row(16, 4403, "never", "permission", "This account may not connect.", "Ask the operator."),
  unsupported_version: row(
    17,
    4400,
    "never",
    "validation",
    "The other end speaks another wire version.",
    "Update the older end.",
  ),
  message_too_large: row(
    18,
    4413,
    "never",
    "validation",
    "The message is larger than the limit.",
    "Send smaller messages.",
  ),
  slow_consumer: row(
    19,
    4408,
    "later",
    "system",
    "The connection did not take its messages in time.",
    "Reconnect; read faster or ask for less.",
  ),
  replaced: row(
    20,
    4409,
    "never",
    "system",
    "The same user connected elsewhere.",
    "Connect again only if the user asks for it.",
  ),
  session_ended: row(21, 4410, "later", "system", "The session has ended.", "Connect for a new session."),
  server_shutdown: row(
    22,
    4503,
    "later",
    "system",
    "The server is shutting down.",
    "Reconnect in a moment; clients do so by themselves.",
  ),
  too_many_connections: row(
    23,
    4429,
    "later",
    "rate_limit",
    "Too many connections.",
    "Close some, or wait for retryAfterMs.",
  ),
  origin_forbidden: row(
    24,
    undefined,
    "never",
    "permission",
    "Pages of this origin may not connect.",
    "Add the origin to the server's `origins`.",
  ),
  connection_lost: row(
    25,
    undefined,
    "later",
    "system",
    "The connection was lost before the reply.",
    "The outcome is unknown: look before repeating it.",
  ),
  connection_timeout: row(
    26,
    undefined,
    "later",
    "system",
    "The server did not answer the connection attempt in time.",
    "Check the address; the client tries again by itself.",
  ),
  not_connected: row(
    27,
    undefined,
    "later",
    "system",
    "The client is not connected.",
    "Call connect() first.",
  ),
  client_closed: row(
    28,
    undefined,
    "never",
    "system",
    "The client was closed.",
    "Call connect() to open it again.",
  ),
  buffer_full: row(
    29,
    undefined,
    "later",
    "system",
    "Too much is waiting to be sent.",
    "Wait until the client is open again before sending more.",
  ),
  invalid_reply: row(
    30,
    undefined,
    "never",
    "validation",
    "What the server sent does not fit the contract.",
    "Use the same version of the contract on both ends.",
  ),
  reconnect_exhausted: row(
    31,
    undefined,
    "later",
    "system",
    "The reconnection strategy gave up.",
    "Call connect() to start again.",
  ),
} as const satisfies Record<string, ErrorRow>

/** The codes of the product itself. */
export type ErrorCode = keyof typeof errorTable

const codeByWire = new Map(Object.entries(errorTable).map(([code, entry]) => [entry.wire, code]))

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
