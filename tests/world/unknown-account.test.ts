// Refusal of a token that the world signed for an account that does not exist, in profile `2.0`. The code belongs to the world, not
// to the table of errors.
import { createHmac } from "node:crypto"
import { afterAll, beforeAll, expect, it } from "vitest"
import { connect, newAccount } from "../conformance-2.0/player.ts"
import { expectError } from "../conformance-2.0/reply.ts"
import { caseContext } from "./case-context.ts"
import { WorldProcess, jwtSecret } from "./start-world.ts"

const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

it("refuses the token of an account that does not exist with auth_player_not_found", async () => {
  const context = caseContext(world)
  const { token, username } = await newAccount(context)
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token: renamed(token, username, "nobody") } })
  const error = await client.waitFor("a resp_error", ({ type }) => type === "resp_error")
  expectError(error, { code: "auth_player_not_found", category: "permission" })
  expect(error.payload).toMatchObject({ error: "The token's account does not exist." })
  expect(await client.waitForClose("the close after it")).toMatchObject({ code: 1008 })
})

/** The same token with another name, signed again. */
function renamed(token: string, from: string, to: string): string {
  const [head = "", claims = ""] = token.split(".")
  const text = Buffer.from(claims, "base64url").toString().replace(from, to)
  const signed = `${head}.${Buffer.from(text).toString("base64url")}`
  return `${signed}.${createHmac("sha256", jwtSecret).update(signed).digest("base64url")}`
}
