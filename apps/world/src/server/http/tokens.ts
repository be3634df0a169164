// Issues and verifies log-in tokens. Must not know what a token permits.
import { createSecretKey } from "node:crypto"
import { SignJWT, jwtVerify } from "jose"

/** Claims `iss` and `aud` of every token. Pass it to `jwt()` as issuer and audience. */
export const tokenAudience = "hawser-world"

const defaultTtlMs = 30 * 60_000

export interface TokenOptions {
  /** HMAC secret, at least 32 bytes. */
  readonly secret: string
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** Lifetime of a token, in milliseconds. Default 30 minutes. */
  readonly ttlMs?: number
}

export interface Tokens {
  /** Returns a token with `sub` = the name, signed with HS256. */
  issue(username: string): Promise<string>
  /** Returns the name in a token of this world that has not expired, else undefined. */
  verify(token: string): Promise<string | undefined>
}

/** @throws TypeError if the secret is too short. */
export function createTokens(options: TokenOptions): Tokens {
  const { secret, now = Date.now, ttlMs = defaultTtlMs } = options
  const bytes = Buffer.from(secret)
  if (bytes.length < 32) throw new TypeError(`The secret has ${bytes.length} bytes; HS256 needs at least 32`)
  const key = createSecretKey(bytes)
  return {
    issue(username) {
      const nowSeconds = Math.floor(now() / 1000)
      return new SignJWT()
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(username)
        .setIssuer(tokenAudience)
        .setAudience(tokenAudience)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + Math.floor(ttlMs / 1000))
        .sign(key)
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ["HS256"],
          issuer: tokenAudience,
          audience: tokenAudience,
          requiredClaims: ["sub", "exp"],
          currentDate: new Date(now()),
        })
        return payload.sub
      } catch {
        return undefined
      }
    },
  }
}
