// Defines the error table and `HawserError`. The table holds every code that Hawser raises. Applications add their own codes.

import { assertOptions } from "./check-options.ts"
import type { OptionTable } from "./check-options.ts"

/** Whether a repetition can succeed: `never`, `later`, or `afterReauth` (with a new token). */
export type Retry = "never" | "later" | "afterReauth"
/** Cause of an error, by the names of protocol `2.0`: invalid input, missing permission, the system, or too many messages. */
export type ErrorCategory = "validation" | "permission" | "system" | "rate_limit"

interface ErrorFacts {
  /** Number of the code on the wire. Never reused. 0 is success, 1 a code of the application. */
  readonly wire: number
  /** Close code of a connection that ends with this error. Absent: the error ends no connection. */
  readonly close?: number
  readonly retry: Retry
  readonly category: ErrorCategory
}

interface ErrorRow extends ErrorFacts {
  /** Default message. */
  readonly sentence: string
}

const row = (facts: ErrorFacts, sentence: string): ErrorRow => ({ ...facts, sentence })

/** All codes of Hawser. docs/errors.md documents each; a test compares the two. */
export const errorTable = {
  sys_internal_error: row(
    { wire: 2, close: 4500, retry: "later", category: "system" },
    "The server failed while handling the message.",
  ),
  sys_service_unavailable: row(
    { wire: 3, close: 4503, retry: "later", category: "system" },
    "The server has no capacity for this now.",
  ),
  sys_invalid_message: row(
    { wire: 4, close: 4400, retry: "never", category: "validation" },
    "The message does not follow the protocol.",
  ),
  invalid_input: row(
    { wire: 5, retry: "never", category: "validation" },
    "The input does not fit the contract.",
  ),
  not_available: row(
    { wire: 6, retry: "never", category: "system" },
    "This server does not support the request.",
  ),
  forbidden: row(
    { wire: 7, close: 4403, retry: "never", category: "permission" },
    "You are not allowed to do this.",
  ),
  rate_limited: row(
    { wire: 8, close: 4429, retry: "later", category: "rate_limit" },
    "Too many messages of this kind.",
  ),
  timeout: row({ wire: 9, retry: "later", category: "system" }, "No reply came in time."),
  cancelled: row({ wire: 10, retry: "never", category: "system" }, "The request was cancelled."),
  auth_required: row(
    { wire: 11, close: 4401, retry: "afterReauth", category: "permission" },
    "The first message must authenticate.",
  ),
  auth_timeout: row(
    { wire: 12, close: 4401, retry: "later", category: "permission" },
    "No authentication came in time.",
  ),
  auth_token_invalid: row(
    { wire: 13, close: 4401, retry: "afterReauth", category: "permission" },
    "The token is not valid.",
  ),
  auth_token_expired: row(
    { wire: 14, close: 4401, retry: "afterReauth", category: "permission" },
    "The token has expired.",
  ),
  auth_forbidden: row(
    { wire: 16, close: 4403, retry: "never", category: "permission" },
    "This account may not connect.",
  ),
  unsupported_version: row(
    { wire: 17, close: 4400, retry: "never", category: "validation" },
    "The peer uses another wire version.",
  ),
  message_too_large: row(
    { wire: 18, close: 4413, retry: "never", category: "validation" },
    "The message is larger than the limit.",
  ),
  slow_consumer: row(
    { wire: 19, close: 4408, retry: "later", category: "system" },
    "The connection did not take or acknowledge its messages in time.",
  ),
  replaced: row(
    { wire: 20, close: 4409, retry: "never", category: "system" },
    "The same user connected elsewhere.",
  ),
  session_ended: row({ wire: 21, close: 4410, retry: "later", category: "system" }, "The session has ended."),
  server_shutdown: row(
    { wire: 22, close: 4503, retry: "later", category: "system" },
    "The server is shutting down.",
  ),
  too_many_connections: row(
    { wire: 23, close: 4429, retry: "later", category: "rate_limit" },
    "Too many connections.",
  ),
  connection_lost: row(
    { wire: 25, retry: "later", category: "system" },
    "The connection was lost before the reply.",
  ),
  connection_failed: row(
    { wire: 40, retry: "later", category: "system" },
    "The connection could not be opened.",
  ),
  connection_timeout: row(
    { wire: 26, retry: "later", category: "system" },
    "The server did not answer the connection attempt in time.",
  ),
  not_connected: row({ wire: 27, retry: "later", category: "system" }, "The client is not connected."),
  client_closed: row({ wire: 28, retry: "never", category: "system" }, "The client was closed."),
  buffer_full: row({ wire: 29, retry: "later", category: "system" }, "The send buffer is full."),
  invalid_reply: row(
    { wire: 30, retry: "never", category: "validation" },
    "The server's message does not fit the contract.",
  ),
  reconnect_exhausted: row(
    { wire: 31, retry: "later", category: "system" },
    "The reconnection strategy ended the attempts.",
  ),
  session_unknown: row(
    { wire: 32, retry: "later", category: "system" },
    "The server does not know this session (any more).",
  ),
  session_expired: row(
    { wire: 33, close: 4410, retry: "later", category: "system" },
    "The session was detached for longer than its resume window.",
  ),
  session_overflow: row(
    { wire: 34, close: 4410, retry: "later", category: "system" },
    "The session's send buffer overflowed.",
  ),
  session_diverged: row(
    { wire: 35, close: 4410, retry: "later", category: "system" },
    "The counts or digests of client and server differ.",
  ),
  session_stolen: row(
    { wire: 36, close: 4410, retry: "later", category: "permission" },
    "A resume token that was no longer valid was presented.",
  ),
  session_thrash: row(
    { wire: 37, close: 4410, retry: "later", category: "system" },
    "Too many connections took over the session.",
  ),
  server_restarted: row(
    { wire: 41, retry: "later", category: "system" },
    "The stream or session could not continue in the process that replaced its server.",
  ),
  unsupported_limits: row(
    { wire: 39, close: 4400, retry: "never", category: "validation" },
    "The client takes smaller messages than this server sends.",
  ),
  other_contract: row(
    { wire: 42, close: 4400, retry: "never", category: "validation" },
    "The client has the contract of another application.",
  ),
  dropped: row(
    { wire: 38, retry: "later", category: "system" },
    "The request was not sent because the connection is not open.",
  ),
} satisfies Record<string, ErrorRow>

/** Code of an error that Hawser raises. */
export type ErrorCode = keyof typeof errorTable

const codeByWire = new Map(Object.entries(errorTable).map(([code, entry]) => [entry.wire, code]))

/** Retired codes by their wire numbers. Numbers and codes stay reserved: no new code uses them. */
export const retiredErrors: Readonly<Record<number, string>> = { 15: "auth_player_not_found" }

/** Wire number of every application code. The code itself is sent as text. */
export const applicationErrorWire = 1

/** Returns true for a code of the error table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

/** Returns the code of a wire number; undefined for 0, 1 and numbers of a later version. */
export function errorCodeOf(wire: number): string | undefined {
  return codeByWire.get(wire)
}

/** Options of `new HawserError(code, options)`. */
export interface HawserErrorOptions {
  /** Sentence for a person: the failure, the value, the next step. Default: the table's sentence; without one the code. */
  readonly message?: string
  /** Machine-readable facts, encodable as MessagePack. Default: none. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Time after which the same call may succeed, in milliseconds. Default: unknown. */
  readonly retryAfterMs?: number
  /** Whether a repetition can succeed. Default: the table's value; for an application's code `never`. */
  readonly retry?: Retry
  /** Cause of the error. Default: the table's value; for an application's code `validation`. */
  readonly category?: ErrorCategory
  /** The error that led to this one. Default: none. It is not sent to the peer. */
  readonly cause?: unknown
}

const errorOptions: OptionTable<HawserErrorOptions> = {
  message: "any",
  details: "object",
  retryAfterMs: "any",
  retry: "any",
  category: "any",
  cause: "any",
}

const brand = Symbol.for("hawser.error")

/** An error with a code. A handler throws it to reject a request; the caller's promise rejects with it. */
export class HawserError extends Error {
  /** A code of the error table, or one of the contract. The code of a newer server stays as it came. */
  readonly code: string
  /** Whether a repetition can succeed. */
  readonly retry: Retry
  /** Cause of the error. */
  readonly category: ErrorCategory
  /** Machine-readable facts; undefined: none. */
  readonly details: Readonly<Record<string, unknown>> | undefined
  /** Time after which the same call may succeed, in milliseconds; undefined: unknown. */
  readonly retryAfterMs: number | undefined

  /**
   * Creates an error with a code of the table. `contract.error` creates the errors of a contract. Defaults: those of
   * `HawserErrorOptions`.
   * @throws TypeError for an unknown option.
   */
  constructor(code: ErrorCode, options: HawserErrorOptions = {}) {
    assertOptions("HawserError", options, errorOptions)
    const known = rowOf(code)
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

  /** Returns true for a HawserError of any copy of this package. */
  static is(value: unknown): value is HawserError {
    return typeof value === "object" && value !== null && brand in value
  }
}

/** Returns the sentence of the table; for a code of the application the code. */
export function errorSentence(code: string): string {
  return isErrorCode(code) ? errorTable[code].sentence : code
}

/** Returns the row of a code; undefined for a code of the application, which `errorWithCode` lets through. */
function rowOf(code: string): ErrorRow | undefined {
  return isErrorCode(code) ? errorTable[code] : undefined
}

/** Returns an error with any code: one of the table, of a contract, or of a peer. */
export function errorWithCode(code: string, options: HawserErrorOptions = {}): HawserError {
  return new HawserError(anyCode(code), options)
}

/** The brand of this file: lets `errorWithCode` pass a code that is not of the table. */
function anyCode<Code extends string>(code: string): Code
function anyCode(code: string): string {
  return code
}
