// The `authenticate` hook, which turns a token into a user, and `jwt()`, an implementation for JSON Web Tokens.
import { HawserError } from "@hawser/protocol"
import { assertGiven, assertOptions, isWellFormed, quoted } from "@hawser/protocol/core"
import type { UpgradeHeaders } from "@hawser/protocol/core"
import { webcrypto } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { errors, jwtVerify } from "jose"
import type { OptionTable } from "@hawser/protocol/core"
import type { CryptoKey, JWTPayload } from "jose"

/** User as the server needs it. An application may add members; handlers find them in `session.user`. */
export interface AuthenticatedUser {
  /** Stable, unique, not empty, without half a surrogate pair. Limits per user and resume claims refer to it. */
  readonly id: string
  /**
   * Expiry of the token, in milliseconds since 1970, within ±(2⁵³−1). Absent or Infinity: the token does not expire. NaN
   * and any other value fail the log-in with `sys_internal_error`, and `onError` gets a TypeError.
   */
  readonly expiresAtMs?: number
}

/**
 * Returns a valid result of `authenticate` unchanged.
 * @throws TypeError for a user without a valid id, and for an invalid `expiresAtMs`.
 */
export function checkedUser<User extends AuthenticatedUser>(user: User): User {
  // An application in JavaScript, or with a cast, may return another type.
  const returned: unknown = user
  const id = valueIn(returned, "id")
  const expiresAtMs = valueIn(returned, "expiresAtMs")
  if (typeof id !== "string" || id === "")
    throw new TypeError(
      `authenticate returned ${described(returned, id)}; return the user, an object whose \`id\` is a text that is not empty, or throw`,
    )
  // Presence lists carry the id to other members, and half a surrogate pair has no UTF-8.
  if (!isWellFormed(id))
    throw new TypeError(`authenticate returned the id ${quoted(id)}: half a surrogate pair`)
  if (expiresAtMs === undefined || expiresAtMs === Number.POSITIVE_INFINITY) return user
  if (typeof expiresAtMs === "number" && Math.abs(expiresAtMs) <= Number.MAX_SAFE_INTEGER) return user
  const shown = typeof expiresAtMs === "number" ? String(expiresAtMs) : typeof expiresAtMs
  throw new TypeError(
    `authenticate returned the expiresAtMs ${shown} for "${id}"; return milliseconds since 1970, or undefined`,
  )
}

/** Context of a call of `authenticate`. */
export interface AuthenticateContext {
  /** Address of the peer, as the connection caps count it. */
  readonly address: string
  /** Aborts when the connection closes, and when `limits.authTimeoutMs` has passed. */
  readonly signal: AbortSignal
  /**
   * Header fields of the request that opened the connection, for example its cookies; trust them only with exact `origins`.
   * Undefined for a renewed token, after the call has ended, and for a transport without headers.
   */
  readonly headers?: UpgradeHeaders | undefined
}

/**
 * Hook that verifies a token. Returns the user, or rejects with a HawserError with an `auth_*` code. Any other error counts
 * as a fault of the server: `onError` gets it, the log-in fails with `sys_internal_error`, and the client retries later with
 * the same token.
 */
export type Authenticate<User extends AuthenticatedUser> = (
  token: string,
  context: AuthenticateContext,
) => Promise<User> | User

/** Describes a result without a usable id, by its kind and the names of its members: values may be secret. */
function described(returned: unknown, id: unknown): string {
  if (typeof returned !== "object" || returned === null || Array.isArray(returned)) return quoted(returned)
  const names = Object.keys(returned).slice(0, 8).join(", ")
  return id === undefined
    ? `an object without \`id\` (its members: ${names === "" ? "none" : names})`
    : `an object whose \`id\` is ${id === "" ? "an empty text" : quoted(id)}`
}

function valueIn(value: unknown, name: "id" | "expiresAtMs"): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
}

/** User of a JSON Web Token: `id` is the claim `sub`, `expiresAtMs` is the claim `exp`. */
export interface JwtUser extends AuthenticatedUser {
  /** All claims of the verified token. */
  readonly claims: JWTPayload
}

/** Options of `jwt()`. */
export interface JwtOptions {
  /** HMAC secret, at least 32 bytes, as text (UTF-8) or bytes. Exactly one of `secret` and `key` is required. */
  readonly secret?: string | Uint8Array
  /** Imported public or secret key. Exactly one of `secret` and `key` is required. */
  readonly key?: CryptoKey | KeyObject
  /** Only accepted algorithm. Default with `secret`: `HS256`. Required with `key`. */
  readonly algorithm?: string
  /** Required value of the claim `iss`. Default: not checked. */
  readonly issuer?: string
  /** Value that the claim `aud` must equal or contain. Default: not checked. */
  readonly audience?: string
  /** Required value of the header `typ`. Default: not checked. */
  readonly type?: string
  /** Tolerance for clock differences, in seconds. Default 30; a value above 60 counts as 60. */
  readonly clockToleranceSeconds?: number
}

const jwtOptions: OptionTable<JwtOptions> = {
  secret: "any",
  key: "any",
  algorithm: "any",
  issuer: "any",
  audience: "any",
  type: "any",
  clockToleranceSeconds: "any",
}

/** Least claim `exp` that cannot be seconds since 1970: the year 5138. Milliseconds have passed it since 1973. */
const expiryInMs = 1e11

/**
 * Returns an `authenticate` hook that verifies JSON Web Tokens with one algorithm. The claims `exp` and `sub` are required.
 * The hook rejects with `auth_token_expired` or `auth_token_invalid`. The `cause` of the error names the claim or header that was
 * refused, and the option that refused it; `onRefused` gets it, the client does not.
 * @throws TypeError for an unknown option, for none or both of `secret` and `key`, for a secret below 32 bytes, for a secret
 * with another algorithm than HS256, HS384 or HS512, and for a key without an algorithm.
 */
export function jwt(options: JwtOptions): Authenticate<JwtUser> {
  assertGiven("jwt", options, "jwt({ secret }), or jwt({ key, algorithm })")
  assertOptions("jwt", options, jwtOptions)
  const algorithm = options.algorithm ?? (options.secret === undefined ? undefined : "HS256")
  const keyOf = verificationKey(options, algorithm)
  if (algorithm === undefined) throw new TypeError("jwt: name the `algorithm` of the key, for example ES256")
  const tolerance = Math.min(60, options.clockToleranceSeconds ?? 30)
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, await keyOf(), {
        algorithms: [algorithm],
        requiredClaims: ["exp", "sub"],
        clockTolerance: tolerance,
        ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
        ...(options.audience === undefined ? {} : { audience: options.audience }),
        ...(options.type === undefined ? {} : { typ: options.type }),
      })
      const { sub, exp } = payload
      if (typeof sub !== "string" || sub === "" || exp === undefined)
        throw new TypeError(
          `the claim sub is ${sub === "" ? "an empty text" : quoted(sub)}; it must be the user's id`,
        )
      if (exp > expiryInMs)
        throw new RangeError(
          `the claim exp is ${exp}, which is too large for seconds since 1970; is it in milliseconds?`,
        )
      return { id: sub, expiresAtMs: exp * 1000, claims: payload }
    } catch (fault) {
      const code = fault instanceof errors.JWTExpired ? "auth_token_expired" : "auth_token_invalid"
      throw new HawserError(code, { cause: diagnosis(fault, options, algorithm) })
    }
  }
}

/** Options of `jwt` by the claim or header that they check. */
const checkedBy: Readonly<Record<string, "issuer" | "audience" | "type">> = {
  iss: "issuer",
  aud: "audience",
  typ: "type",
}

/** Returns an error that says which part of the token was refused, its value, and the option to compare. */
function diagnosis(fault: unknown, options: JwtOptions, algorithm: string): unknown {
  const by = (message: string): Error => new Error(message, { cause: fault })
  if (fault instanceof errors.JWTExpired)
    return by(`the claim exp is ${quoted(fault.payload.exp)}, which has passed`)
  if (fault instanceof errors.JWTClaimValidationFailed) {
    const { claim, payload, reason } = fault
    const option = checkedBy[claim]
    const wanted = option === undefined ? undefined : options[option]
    if (reason === "missing") return by(`the token has no claim ${claim}`)
    const value = claim === "typ" ? "another one" : shownClaim(payload[claim])
    if (wanted !== undefined)
      return by(`the ${claim} of the token is ${value}; the option ${option} of jwt is ${quoted(wanted)}`)
    return by(`the claim ${claim} of the token is ${value}: ${fault.message}`)
  }
  if (fault instanceof errors.JOSEAlgNotAllowed)
    return by(
      `the token is not signed with ${algorithm}, the only algorithm that jwt accepts (its option algorithm)`,
    )
  if (fault instanceof errors.JWSSignatureVerificationFailed)
    return by("the signature does not fit: the token was signed with another secret or key, or was changed")
  if (fault instanceof errors.JWSInvalid || fault instanceof errors.JWTInvalid)
    return by("this is no JSON Web Token with a signature")
  return fault
}

function shownClaim(value: unknown): string {
  return Array.isArray(value) ? `[${value.slice(0, 4).map(quoted).join(", ")}]` : quoted(value)
}

type VerificationKey = CryptoKey | KeyObject

function verificationKey(options: JwtOptions, algorithm: string | undefined): () => Promise<VerificationKey> {
  const { secret, key } = options
  if ((secret === undefined) === (key === undefined))
    throw new TypeError("jwt: give either `secret` or `key`")
  if (key !== undefined) return () => Promise.resolve(key)
  const bytes = typeof secret === "string" ? Buffer.from(secret) : Buffer.from(secret ?? [])
  if (bytes.length < 32)
    throw new TypeError(`jwt: the secret has ${bytes.length} bytes; HS256 needs at least 32`)
  const hash = /^HS(256|384|512)$/.exec(algorithm ?? "")?.[1]
  if (hash === undefined) throw new TypeError(`jwt: a secret is for HS256, HS384 or HS512, not ${algorithm}`)
  // The key is imported once. From a raw secret the library would import a key for each token.
  let imported: Promise<CryptoKey> | undefined
  return () => {
    imported ??= webcrypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: `SHA-${hash}` }, false, [
      "verify",
    ])
    return imported
  }
}
