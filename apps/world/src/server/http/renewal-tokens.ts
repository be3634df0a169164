// Writes and signs renewal tokens, and names their cookie. Must not know which tokens are valid.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { LoginToken } from "../store/login-store.ts"

export interface RenewalTokens {
  /** Name of the cookie. It differs from world to world, because all ports of a host share their cookies. */
  readonly cookieName: string
  newFamily(): string
  write(token: LoginToken): string
  /** Returns the token in a text that this world has signed, else undefined. */
  read(text: string): LoginToken | undefined
}

const familyBytes = 16

/** Creates the format. `secret` also signs the access tokens; the key for renewal tokens is derived from it. */
export function createRenewalTokens(secret: string): RenewalTokens {
  const key = createHmac("sha256", secret).update("hawser world: renewal tokens").digest()
  const sign = (body: string): Buffer => createHmac("sha256", key).update(body).digest()
  return {
    cookieName: `hawser_login_${sign("the cookie's name").toString("hex", 0, 4)}`,
    newFamily: () => randomBytes(familyBytes).toString("base64url"),
    write({ family, generation }) {
      const body = `${family}.${generation}`
      return `${body}.${sign(body).toString("base64url")}`
    },
    read(text) {
      const match = /^([\w-]{22})\.(\d{1,9})\.([\w-]{43})$/.exec(text)
      if (match === null) return undefined
      const [, family = "", generation = "", signature = ""] = match
      const presented = Buffer.from(signature, "base64url")
      const isOurs = timingSafeEqual(presented, sign(`${family}.${generation}`))
      return isOurs ? { family, generation: Number(generation) } : undefined
    },
  }
}
