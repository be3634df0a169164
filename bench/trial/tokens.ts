// Log-in tokens for the load: JWT with HS256, encoded here without a library so that the load spends no time on them.
import { createHmac } from "node:crypto"

/** 32 bytes, the least that HS256 takes; it protects nothing. */
export const secret = "the benchmark's secret, 32 bytes"

const lifetimeSeconds = 3_600

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}

/** A token of `user-<index>`, valid for an hour. */
export function tokenOf(index: number): string {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const header = base64url({ alg: "HS256", typ: "JWT" })
  const payload = base64url({ sub: `user-${index}`, iat: nowSeconds, exp: nowSeconds + lifetimeSeconds })
  const signed = `${header}.${payload}`
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`
}
