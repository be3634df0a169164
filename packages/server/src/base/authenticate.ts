// Who is at the other end: the hook that turns a token into a user, and the ready-made one for JWT.
import { HawserError } from "@hawser/protocol"
import { isWellFormed, quoted } from "@hawser/protocol/core"
import { webcrypto } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { errors, jwtVerify } from "jose"
import type { CryptoKey, JWTPayload } from "jose"

/** The least that the server must know of a user. Applications return more. */
export interface AuthenticatedUser {
  /** Stable and unique: limits and takeover go by it. */
  readonly id: string
  /**
   * Milliseconds since 1970 when the token expires, within ±(2⁵³−1); absent or Infinity when it does not. NaN and any
   * other value fail the log-in as a fault of the server: `sys_internal_error`, and a TypeError to `onError`.
   */
  readonly expiresAtMs?: number
}

/**
 * Returns what `authenticate` returned, if the server can work with it.
 * @throws TypeError for a user without an id, and for an expiry that is no time.
 */
export function checkedUser<User extends AuthenticatedUser>(user: User): User {
  // The type promises a user; what an application returns may be something else all the same.
  const returned: unknown = user
  const id = valueIn(returned, "id")
  const expiresAtMs = valueIn(returned, "expiresAtMs")
  if (typeof id !== "string" || id === "")
    throw new TypeError("authenticate returned no user: an object with an `id`, a text that is not empty")
  // The others in a topic are told of it.
  if (!isWellFormed(id))
    throw new TypeError(`authenticate returned the id ${quoted(id)}: half a surrogate pair`)
  if (expiresAtMs === undefined || expiresAtMs === Number.POSITIVE_INFINITY) return user
  if (typeof expiresAtMs === "number" && Math.abs(expiresAtMs) <= Number.MAX_SAFE_INTEGER) return user
  const shown = typeof expiresAtMs === "number" ? String(expiresAtMs) : typeof expiresAtMs
  throw new TypeError(
    `authenticate returned the expiresAtMs ${shown} for "${id}": milliseconds since 1970 are needed, or nothing`,
  )
}

export interface AuthenticateContext {
  /** The peer's address as the caps see it. */
  readonly address: string
  /** Aborts when the connection ends or the time for authentication is over. */
  readonly signal: AbortSignal
}

/**
 * Resolves to the user, or throws `HawserError` with an `auth_*` code. Anything else that is thrown counts as the
 * server's fault (`sys_internal_error`): the client tries again later with the same token.
 */
export type Authenticate<User extends AuthenticatedUser> = (
  token: string,
  context: AuthenticateContext,
) => Promise<User> | User

function valueIn(value: unknown, name: "id" | "expiresAtMs"): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
}

/** What `jwt()` resolves to: `id` is the claim `sub`. */
export interface JwtUser extends AuthenticatedUser {
  readonly claims: JWTPayload
}

export interface JwtOptions {
  /** HMAC secret, at least 32 bytes. Either this or `key`. */
  readonly secret?: string | Uint8Array
  /** A public or secret key, imported beforehand. */
  readonly key?: CryptoKey | KeyObject
  /** The one accepted algorithm. Default `HS256` with `secret`; required with `key`. */
  readonly algorithm?: string
  /** The claim `iss` must equal this. Default: not checked. */
  readonly issuer?: string
  /** The claim `aud` must contain this. Default: not checked. */
  readonly audience?: string
  /** The header `typ` must equal this. Default: not checked. */
  readonly type?: string
  /** Tolerance for clocks that differ, at most 60 s. Default 30 s. */
  readonly clockToleranceSeconds?: number
}

/**
 * Verifies JSON Web Tokens with a pinned algorithm; `exp` and `sub` are required.
 * Rejects with `auth_token_expired` or `auth_token_invalid`.
 * @throws TypeError when neither or both of `secret` and `key` are given, or the secret is too short.
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
        throw new RangeError(`the claim exp is ${exp}: seconds since 1970 are needed, not milliseconds`)
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
  // Imported once: from any other kind of key the library would make one for each token.
  let imported: Promise<CryptoKey> | undefined
  return () => {
    imported ??= webcrypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: `SHA-${hash}` }, false, [
      "verify",
    ])
    return imported
  }
}
