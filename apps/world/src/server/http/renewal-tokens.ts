// Decides how a renewal token is written and signed, and which cookie carries it. Must not know which tokens are good.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { LoginToken } from "../store/login-store.ts"

export interface RenewalTokens {
  /** The name of the cookie. It differs from world to world: cookies of one host are shared by all its ports. */
  readonly cookieName: string
  newFamily(): string
  write(token: LoginToken): string
  /** The token in a text that this world has signed, else undefined. */
  read(text: string): LoginToken | undefined
}

const familyBytes = 16

/** `secret` signs the access tokens too; the key for these is derived from it. */
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
