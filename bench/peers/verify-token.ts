// The token check, the same in every peer and in Hawser's `jwt()`: HS256 by jose, `sub` and `exp` required.
import { jwtVerify } from "jose"
import { createSecretKey } from "node:crypto"

/** Resolves to the user's id, or rejects. */
export function createVerifier(secret: string): (token: string) => Promise<string> {
  const key = createSecretKey(Buffer.from(secret))
  return async (token) => {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["HS256"],
      requiredClaims: ["exp", "sub"],
      clockTolerance: 30,
    })
    if (typeof payload.sub !== "string") throw new Error("no subject")
    return payload.sub
  }
}
