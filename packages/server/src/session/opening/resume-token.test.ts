import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ResumeTokens } from "./resume-token.ts"

const key = Uint8Array.from({ length: 32 }, (_, index) => index)
const tokens = new ResumeTokens(key)
const sessionId = "3f2a"
const userId = "ada"
const token = tokens.issue(sessionId, userId, 7)

describe("a resume token", () => {
  it("is valid for its session and user, and carries its generation", () => {
    expect(tokens.verify(token, sessionId, userId)).toEqual({ kind: "valid", generation: 7 })
  })

  it("is 66 characters that need no escaping anywhere", () => {
    expect(token).toMatch(/^[\w-]{66}$/)
  })

  it("keeps its format, because clients hold tokens of earlier versions", () => {
    const bytes = Buffer.from(token, "base64url")
    expect([bytes.length, bytes[0], bytes.readUInt32BE(5)]).toEqual([49, 1, 7])
    expect(bytes.toString("hex")).toBe(
      "017d8a485a00000007fdee430d40bd57de" +
        "edfabfc9e973595d4f685a889e0ac280e3ed1418c52d981fcc8df44a34ce0314",
    )
  })

  it("differs by session, user, generation and key", () => {
    const issued = [
      token,
      tokens.issue("3f2b", userId, 7),
      tokens.issue(sessionId, "eve", 7),
      tokens.issue(sessionId, userId, 8),
      new ResumeTokens(new Uint8Array(32)).issue(sessionId, userId, 7),
    ]
    expect(new Set(issued).size).toBe(issued.length)
  })

  it("is valid for every session, user and generation that it was made for", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 })
    fc.assert(
      fc.property(text, text, fc.nat(0xffffffff), (session, user, generation) => {
        const issued = tokens.issue(session, user, generation)
        expect(tokens.verify(issued, session, user)).toEqual({ kind: "valid", generation })
      }),
      { numRuns: 1000 },
    )
  }, 30_000)

  it("is valid at another server of the same key", () => {
    expect(new ResumeTokens(key).verify(token, sessionId, userId).kind).toBe("valid")
  })

  it("is refused with a random key: each server makes its own", () => {
    const other = new ResumeTokens()
    expect(other.verify(token, sessionId, userId)).toEqual({ kind: "unknownKey" })
    expect(new ResumeTokens().verify(other.issue(sessionId, userId, 1), sessionId, userId)).toEqual({
      kind: "unknownKey",
    })
  })

  it("refuses another user, for each session", () => {
    expect(tokens.verify(token, sessionId, "eve")).toEqual({ kind: "otherUser" })
    expect(tokens.verify(token, sessionId, "")).toEqual({ kind: "otherUser" })
    expect(tokens.verify(token, sessionId, "Ada")).toEqual({ kind: "otherUser" })
  })

  it("refuses another session before it checks the user", () => {
    expect(tokens.verify(token, "3f2b", userId)).toEqual({ kind: "forged" })
    expect(tokens.verify(token, "", userId)).toEqual({ kind: "forged" })
    expect(tokens.verify(token, "3f2b", "eve")).toEqual({ kind: "forged" })
  })
})

describe("a token that is not as it was issued", () => {
  it("is refused with any one bit changed", () => {
    const bytes = Buffer.from(token, "base64url")
    const verdicts = Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return tokens.verify(changed.toString("base64url"), sessionId, userId).kind
    })
    // Bytes 1 to 4 name the key; everything else is under the signature, or is the signature.
    const expected = verdicts.map((_, bit) => (bit >> 3 >= 1 && bit >> 3 <= 4 ? "unknownKey" : "forged"))
    expect(verdicts).toEqual(expected)
  })

  it("abuse-A24 is refused at every shorter length, and at longer ones", () => {
    for (let length = 0; length < token.length; length += 1) {
      expect(tokens.verify(token.slice(0, length), sessionId, userId)).toEqual({ kind: "forged" })
    }
    for (const more of ["A", "AA", "====", token, "A".repeat(100_000)]) {
      expect(tokens.verify(token + more, sessionId, userId)).toEqual({ kind: "forged" })
    }
  })

  it("is refused in every other spelling of the same bytes", () => {
    const bytes = Buffer.from(token, "base64url")
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    // Four bits of the last character carry no data.
    const others = alphabet
      .split("")
      .map((last) => token.slice(0, -1) + last)
      .filter((other) => other !== token && Buffer.from(other, "base64url").equals(bytes))
    expect(others.length).toBe(15)
    const spellings = [
      ...others,
      `${token}==`,
      `${token}=`,
      `${token} `,
      ` ${token}`,
      `${token.slice(0, 30)}\n${token.slice(30)}`,
      `${token.slice(0, 30)}*${token.slice(30)}`,
      `${token}\0`,
    ]
    for (const spelling of spellings) {
      expect(tokens.verify(spelling, sessionId, userId)).toEqual({ kind: "forged" })
    }
  })

  it("is refused in the other alphabet", () => {
    const generation = Array.from({ length: 100 }, (_, index) => index).find((index) =>
      /[-_]/.test(tokens.issue(sessionId, userId, index)),
    )
    const issued = tokens.issue(sessionId, userId, generation ?? 0)
    const spelled = issued.replaceAll("-", "+").replaceAll("_", "/")
    expect(spelled).not.toBe(issued)
    expect(tokens.verify(spelled, sessionId, userId)).toEqual({ kind: "forged" })
  })

  it("is refused without an error for any text", () => {
    const spelled = fc.uint8Array({ minLength: 49, maxLength: 49 }).map((bytes) => {
      bytes[0] = 1
      return Buffer.from(bytes).toString("base64url")
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.base64String(), spelled), (text) => {
        return tokens.verify(text, sessionId, userId).kind !== "valid"
      }),
      { numRuns: 5000 },
    )
  })

  it("cannot be put together from two good ones", () => {
    const other = Buffer.from(tokens.issue(sessionId, userId, 8), "base64url")
    const bytes = Buffer.from(token, "base64url")
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const joined = Buffer.concat([bytes.subarray(0, cut), other.subarray(cut)]).toString("base64url")
      if (joined === token || other.equals(Buffer.from(joined, "base64url"))) continue
      expect(tokens.verify(joined, sessionId, userId).kind).toBe("forged")
    }
  })
})
