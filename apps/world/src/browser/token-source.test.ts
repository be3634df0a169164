import { HawserError } from "@hawser/client"
import { expect, test } from "vitest"
import { accessToken } from "./access-token.ts"
import { createTokenSource, isOutcomeOfLogin } from "./token-source.ts"
import type { Renewed } from "./token-source.ts"

/** Returns the text of a token like the server's, without a valid signature. */
function tokenText(number: number, { seconds = 1_800, name = "Ann" } = {}): string {
  const claims = { sub: name, iat: 5_000, exp: 5_000 + seconds, number }
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`
}

function source(seconds = 1_800) {
  const clock = { nowMs: 1_000_000 }
  const answers: Renewed[] = []
  const events: string[] = []
  let count = 0
  const token = createTokenSource({
    first: accessToken(tokenText(0, { seconds }), clock.nowMs),
    async renew(name) {
      count += 1
      events.push(`renew ${name}`)
      return answers.shift() ?? { kind: "renewed", token: tokenText(count, { seconds }) }
    },
    store: ({ text }) => events.push(text === tokenText(count, { seconds }) ? "store" : "store another"),
    onEnded: (text) => events.push(text),
    nowMs: () => clock.nowMs,
    async pause(ms) {
      events.push(`pause ${ms}`)
    },
  })
  const ask = (refused?: HawserError): Promise<string> => token({ refused })
  return { clock, answers, events, ask }
}

const later: Renewed = { kind: "later", text: "The server cannot be reached." }
const refused = new HawserError("auth_token_expired")

test("reads the player and the lifetime of a token, and accepts any other text as an unreadable one", () => {
  expect(accessToken(tokenText(1, { name: "Ünï" }), 7)).toMatchObject({
    name: "Ünï",
    lifetimeMs: 1_800_000,
    gotAtMs: 7,
  })
  for (const text of ["", "a.b.c", "e30.e30.", "e30.bnVsbA."])
    expect(accessToken(text, 7)).toEqual({ text, name: "", lifetimeMs: 0, gotAtMs: 7 })
})

test("door-6 returns the current token while it is fresh, and renews it before the server's request at half of its lifetime", async () => {
  for (const seconds of [15, 1_800]) {
    const { clock, events, ask } = source(seconds)
    clock.nowMs += seconds * 399
    expect(await ask()).toBe(tokenText(0, { seconds }))
    clock.nowMs += seconds * 2
    expect(await ask()).toBe(tokenText(1, { seconds }))
    expect(await ask()).toBe(tokenText(1, { seconds }))
    expect(events).toEqual(["renew Ann", "store"])
  }
})

test("door-6 renews a refused token although it looks fresh, once for all concurrent calls", async () => {
  const { events, ask } = source()
  expect(await Promise.all([ask(refused), ask(refused)])).toEqual([tokenText(1), tokenText(1)])
  expect(events).toEqual(["renew Ann", "store"])
})

test("door-6 retries while the server is unreachable, and then uses the old token while it is valid", async () => {
  const { clock, answers, events, ask } = source()
  clock.nowMs += 1_700_000
  answers.push(later, later, later)
  expect(await ask()).toBe(tokenText(0))
  expect(events).toEqual(["renew Ann", "pause 1000", "renew Ann", "pause 3000", "renew Ann"])
  answers.push(later)
  expect(await ask()).toBe(tokenText(5))
})

test("door-6 rejects with a retry if there is no valid token, and does not end the log-in", async () => {
  const { clock, answers, events, ask } = source()
  for (const why of [refused, undefined]) {
    answers.push(later, later, later)
    await expect(ask(why)).rejects.toMatchObject({ code: "sys_service_unavailable", message: later.text })
    clock.nowMs += 1_800_000
  }
  expect(events).not.toContain(later.text)
})

test("door-6 ends a log-in that cannot be renewed, and reports it", async () => {
  const { answers, events, ask } = source()
  answers.push({ kind: "ended", text: "Your log-in has ended." })
  await expect(ask(refused)).rejects.toMatchObject({ code: "auth_token_expired" })
  expect(events).toEqual(["renew Ann", "Your log-in has ended."])
})

test("door-6 treats no outcome of a renewal as a fault of the page, but any other failure", async () => {
  for (const answer of [later, { kind: "ended", text: "Your log-in has ended." }] as const) {
    const { answers, ask } = source()
    answers.push(answer, answer, answer)
    const error: unknown = await ask(refused).catch((thrown: unknown) => thrown)
    expect(isOutcomeOfLogin(error)).toBe(true)
  }
  const cause = new TypeError("undefined is not a function")
  const faults = [
    cause,
    new HawserError("sys_service_unavailable", { cause }),
    new HawserError("sys_invalid_message"),
  ]
  expect(faults.map(isOutcomeOfLogin)).toEqual([false, false, false])
})

test("renews when the page's clock was set back", async () => {
  const { clock, ask } = source()
  clock.nowMs -= 60_000
  expect(await ask()).toBe(tokenText(1))
})
