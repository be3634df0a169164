// Checks the arguments of `createServer` and of a server's methods as untyped code may pass them. Limits, path and origins are
// checked by their owners.
import { assertContract, assertOptions, quoted } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { AuthenticatedUser } from "./base/authenticate.ts"
import type { DrainOptions } from "./session/life/drain.ts"
import type { UserPacking } from "./session/life/session-record.ts"
import type { CloseOptions } from "./session/life/shut-down.ts"
import type { EndSessionsOptions, ServerOptions } from "./server-api.ts"

const serverOptions: OptionTable<ServerOptions<Contract, AuthenticatedUser>> = {
  authenticate: "any",
  limits: "any",
  origins: "any",
  allowLoopbackOrigins: "boolean",
  path: "any",
  trustProxy: "boolean",
  profile20: "any",
  sessionPolicy: "any",
  sessionId: "function",
  resumeKey: "any",
  sessionStore: "function",
  journal: "object",
  migrate: "object",
  userRecord: "object",
  onError: "function",
  onWarning: "function",
  onRefused: "function",
  clock: "object",
  wallClockMs: "function",
  trustOutput: "boolean",
}

const drainOptions: OptionTable<DrainOptions> = { spreadMs: "ms", graceMs: "ms" }
const userRecordOptions: OptionTable<UserPacking<AuthenticatedUser>> = {
  pack: "function",
  unpack: "function",
}
const closeOptions: OptionTable<CloseOptions> = { backInMs: "ms", spreadMs: "ms" }

const endSessionsOptions: OptionTable<EndSessionsOptions> = { user: "any", code: "any", message: "any" }

/** Least length of `resumeKey`, in bytes: that of the HMAC-SHA256 which it signs. */
const resumeKeyLeastBytes = 32

/**
 * Checks the arguments of `createServer`.
 * @throws TypeError for an argument or option of the wrong kind, for an unknown option, and for a missing `authenticate`.
 * @throws RangeError for a `resumeKey` below 32 bytes.
 */
export function assertServerArguments(contract: unknown, options: unknown): void {
  assertContract("createServer", contract)
  assertOptions("createServer", options ?? {}, serverOptions)
  const given = optionsOf(options)
  const { authenticate, profile20, resumeKey, sessionPolicy, userRecord } = given
  assertOptions("userRecord of createServer", userRecord, userRecordOptions)
  if (typeof authenticate !== "function") throw noAuthenticate(authenticate)
  if (profile20 !== undefined && typeof profile20 !== "function") {
    const advice = "pass profile20() of @hawser/server/profile20, or nothing to refuse clients of 2.0"
    throw new TypeError(`the option profile20 of createServer is ${quoted(profile20)}: ${advice}`)
  }
  if (sessionPolicy !== undefined && sessionPolicy !== "newestWins" && sessionPolicy !== "oldestWins")
    throw new TypeError(
      `the option sessionPolicy of createServer must be "newestWins" or "oldestWins", not ${quoted(sessionPolicy)}`,
    )
  if (resumeKey === undefined) return
  if (!(resumeKey instanceof Uint8Array))
    throw new TypeError(`the option resumeKey of createServer must be a Uint8Array, not ${quoted(resumeKey)}`)
  if (resumeKey.length < resumeKeyLeastBytes)
    throw new RangeError(
      `the option resumeKey of createServer has ${resumeKey.length} bytes; it needs at least ${resumeKeyLeastBytes}, such as crypto.randomBytes(32)`,
    )
}

/** @throws TypeError for an unknown option, RangeError for a number that is not a time. */
export function assertDrainOptions(options: unknown): void {
  assertOptions("drain", options, drainOptions)
}

/** @throws TypeError for an unknown option, RangeError for a number that is not a time. */
export function assertCloseOptions(options: unknown): void {
  assertOptions("close", options, closeOptions)
}

/** @throws TypeError for an unknown option, for a user or code that is no text, and for an empty one. */
export function assertEndSessionsOptions(options: unknown): void {
  assertOptions("endSessions", options ?? {}, endSessionsOptions)
  const { user, code } = optionsOf(options)
  for (const [name, value] of Object.entries({ user, code: code ?? "forbidden" }))
    if (typeof value !== "string" || value === "")
      throw new TypeError(
        `the option ${name} of endSessions must be a text that is not empty, not ${quoted(value)}`,
      )
}

function optionsOf(options: unknown): Readonly<Record<string, unknown>> {
  return typeof options === "object" && options !== null ? { ...options } : {}
}

function noAuthenticate(authenticate: unknown): TypeError {
  return new TypeError(
    `the option authenticate of createServer is ${quoted(authenticate)}, not a function: write authenticate: (token) => ({ id: … }), ` +
      "which returns the user of a token or throws, or authenticate: jwt({ secret }) for JSON Web Tokens",
  )
}
