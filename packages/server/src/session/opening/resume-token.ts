// Issues and verifies resume tokens, each bound to a session, a user and a generation. Must not know sessions and clocks.
// Format, base64url of: version (1 byte), key id (4), generation (4), user hash (8), HMAC-SHA256 over these and the session's id
// (32).
import { createHmac, createSecretKey, hash, randomBytes, timingSafeEqual } from "node:crypto"
import type { KeyObject } from "node:crypto"

const version = 1
const headBytes = 17
const tokenBytes = headBytes + 32

/** Verdict on a resume token. */
export type TokenVerdict =
  | { readonly kind: "valid"; readonly generation: number }
  /** Signed with an unknown key: by an earlier process with a random key, or by another server. */
  | { readonly kind: "unknownKey" }
  /** Signed with this server's key for another user. */
  | { readonly kind: "otherUser" }
  | { readonly kind: "forged" }

export class ResumeTokens {
  readonly #key: KeyObject
  readonly #keyId: Buffer

  /** @param key secret, 32 bytes. Default: random, so that tokens are valid in this process only. */
  constructor(key: Uint8Array = randomBytes(32)) {
    this.#key = createSecretKey(key)
    this.#keyId = hash("sha256", Buffer.concat([Buffer.from("key id"), key]), "buffer").subarray(0, 4)
  }

  /** Returns a token of 66 characters. */
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
    // `Buffer.from` skips invalid characters, so only the canonical encoding is accepted.
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
