import { expect, test } from "vitest"
import { jwt } from "@hawser/server"
import { createTokens, tokenAudience } from "./tokens.ts"

const secret = "k".repeat(32)
const startMs = 1_800_000_000_500

test("issues a token that is valid for 30 minutes", async () => {
  let nowMs = startMs
  const tokens = createTokens({ secret, now: () => nowMs })
  const token = await tokens.issue("Anna")
  expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toEqual({
    sub: "Anna",
    iss: "hawser-world",
    aud: "hawser-world",
    iat: 1_800_000_000,
    exp: 1_800_001_800,
  })
  nowMs = 1_800_001_799_999
  expect(await tokens.verify(token)).toBe("Anna")
  nowMs = 1_800_001_800_000
  expect(await tokens.verify(token)).toBeUndefined()
})

test("refuses another secret's token, a changed one and nonsense", async () => {
  const tokens = createTokens({ secret })
  const [head = "", , signature = ""] = (await tokens.issue("Anna")).split(".")
  const claims = Buffer.from(JSON.stringify({ sub: "Bob", exp: 9e9 })).toString("base64url")
  const foreign = await createTokens({ secret: "x".repeat(32) }).issue("Anna")
  for (const token of [foreign, `${head}.${claims}.${signature}`, "", "a.b.c"]) {
    expect(await tokens.verify(token)).toBeUndefined()
  }
})

test("issues tokens that the connection layer's jwt() accepts", async () => {
  const token = await createTokens({ secret }).issue("Anna")
  const authenticate = jwt({ secret, issuer: tokenAudience, audience: tokenAudience })
  const user = await authenticate(token, { address: "::1", signal: new AbortController().signal })
  expect(user).toMatchObject({ id: "Anna" })
})

test("refuses a secret that is too short", () => {
  expect(() => createTokens({ secret: "short" })).toThrow("has 5 bytes; HS256 needs at least 32")
})
