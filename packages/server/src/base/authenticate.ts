// The `authenticate` hook, which turns a token into a user, and `jwt()`, an implementation for JSON Web Tokens.
import { HawserError } from "@hawser/protocol"
import { isWellFormed, quoted } from "@hawser/protocol/core"
import type { UpgradeHeaders } from "@hawser/protocol/core"
import { webcrypto } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { errors, jwtVerify } from "jose"
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
      "authenticate returned no user; return an object whose `id` is a text that is not empty",
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

/**
 * Returns an `authenticate` hook that verifies JSON Web Tokens with one algorithm. The claims `exp` and `sub` are required.
 * The hook rejects with `auth_token_expired` or `auth_token_invalid`.
 * @throws TypeError for none or both of `secret` and `key`, for a secret below 32 bytes, for a secret with another algorithm
 * than HS256, HS384 or HS512, and for a key without an algorithm.
 */
export function jwt(options: JwtOptions): Authenticate<JwtUser> {
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
        throw new HawserError("auth_token_invalid")
      const expiresAtMs = exp * 1000
      if (expiresAtMs > Number.MAX_SAFE_INTEGER)
        throw new RangeError(
          `the claim exp is ${exp}, which is too large for seconds since 1970; is it in milliseconds?`,
        )
      return { id: sub, expiresAtMs, claims: payload }
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw new HawserError("auth_token_expired", { cause })
      throw new HawserError("auth_token_invalid", { cause })
    }
  }
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
