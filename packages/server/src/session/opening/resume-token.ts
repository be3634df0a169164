// The secret that lets a client go on with its session: bound to the session, to the user and to a generation.
// Knows no sessions and no clock. Format, base64url of: version (1 byte), key id (4), generation (4), user hash (8),
// HMAC-SHA256 over these and the session's id (32).
import { createHmac, createSecretKey, hash, randomBytes, timingSafeEqual } from "node:crypto"
import type { KeyObject } from "node:crypto"

const version = 1
const headBytes = 17
const tokenBytes = headBytes + 32

export type TokenVerdict =
  | { readonly kind: "valid"; readonly generation: number }
  /** Made with a key that this server does not have: an earlier life of it, or another server. */
  | { readonly kind: "unknownKey" }
  /** Signed by this server, for somebody else. */
  | { readonly kind: "otherUser" }
  | { readonly kind: "forged" }

export class ResumeTokens {
  readonly #key: KeyObject
  readonly #keyId: Buffer

  /** @param key 32 secret bytes; random by default, so that tokens die with the process, as its sessions do. */
  constructor(key: Uint8Array = randomBytes(32)) {
    this.#key = createSecretKey(key)
    this.#keyId = hash("sha256", Buffer.concat([Buffer.from("key id"), key]), "buffer").subarray(0, 4)
  }

  issue(sessionId: string, userId: string, generation: number): string {
    const token = Buffer.allocUnsafe(tokenBytes)
    token[0] = version
    this.#keyId.copy(token, 1)
    token.writeUInt32BE(generation, 5)
    userHash(userId).copy(token, 9)
    this.#mac(token.subarray(0, headBytes), sessionId).copy(token, headBytes)
    return token.toString("base64url")
  }

  verify(token: string, sessionId: string, userId: string): TokenVerdict {
    const bytes = Buffer.from(token, "base64url")
    // Decoding skips what is not base64url: only the canonical spelling is ours.
    if (bytes.length !== tokenBytes || bytes.toString("base64url") !== token || bytes[0] !== version)
      return { kind: "forged" }
    if (!bytes.subarray(1, 5).equals(this.#keyId)) return { kind: "unknownKey" }
    const head = bytes.subarray(0, headBytes)
    if (!timingSafeEqual(bytes.subarray(headBytes), this.#mac(head, sessionId))) return { kind: "forged" }
    if (!timingSafeEqual(head.subarray(9), userHash(userId))) return { kind: "otherUser" }
    return { kind: "valid", generation: head.readUInt32BE(5) }
  }

  #mac(head: Uint8Array, sessionId: string): Buffer {
    return createHmac("sha256", this.#key).update(head).update(sessionId, "utf8").digest()
  }
}

function userHash(userId: string): Buffer {
  return hash("sha256", userId, "buffer").subarray(0, 8)
}
