// Conformance suite of protocol 2.0 against the world's server, one test per case.
import { createHmac } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CASE_MS } from "../conformance-2.0/limits.ts"
import { connect, newAccount } from "../conformance-2.0/player.ts"
import { expectError } from "../conformance-2.0/reply.ts"
import { runCase } from "../conformance-2.0/runner.ts"
import { conformanceCases } from "../conformance-2.0/suite.ts"
import { caseContext } from "./case-context.ts"
import { WorldProcess, jwtSecret } from "./start-world.ts"

/** Cases that cannot be tested from outside, and their other test. No other case may be skipped. */
const triedElsewhere: ReadonlyMap<string, string> = new Map([
  [
    "answers 403 to the login of a banned player and 429 at capacity",
    "needs a banned account and 500 players; tried in apps/world/src/server/http/handler.test.ts",
  ],
  [
    "refuses an expired token with auth_token_expired",
    "needs the server's secret; tried at the end of this file",
  ],
])

const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

describe("the world's server", () => {
  for (const conformanceCase of conformanceCases) {
    const { name, section } = conformanceCase
    it(`${name} (${section})`, { timeout: CASE_MS + 10_000 }, async ({ skip }) => {
      const reason = triedElsewhere.get(name)
      if (reason !== undefined) skip(reason)
      expect(await runCase(conformanceCase, world.webSocketUrl)).toEqual({ kind: "passed" })
    })
  }

  it("refuses an expired token with auth_token_expired and a close 1008", async () => {
    const context = caseContext(world)
    const account = await newAccount(context)
    const client = await connect(context)
    client.send({ type: "cmd_authenticate", payload: { token: expired(account.token) } })
    const error = await client.waitFor("a resp_error", ({ type }) => type === "resp_error")
    expectError(error, { code: "auth_token_expired" })
    expect(await client.waitForClose("the close after it")).toMatchObject({ code: 1008 })
  })
})

/** Returns the same token, expired a minute ago and signed again. */
function expired(token: string): string {
  const [head = "", claims = ""] = token.split(".")
  const late = Buffer.from(claims, "base64url")
    .toString()
    .replace(/"exp":\d+/, `"exp":${Math.floor(Date.now() / 1000) - 60}`)
  const signed = `${head}.${Buffer.from(late).toString("base64url")}`
  return `${signed}.${createHmac("sha256", jwtSecret).update(signed).digest("base64url")}`
}
