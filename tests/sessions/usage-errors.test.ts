// Mistakes at the first use of the client and the server, from untyped code or by a slip: each is refused at the call,
// and the sentence names it.
import { createClient } from "@hawser/client"
import { HawserError, defineContract, integer } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, rejection } from "../faults/harness.ts"

const contract = defineContract({ name: "newcomer", commands: {}, queries: {}, events: {} })
const world = () => createWorld({ profile: "hawser.1", latencyMs: 10 })

/** Calls a function or a method as untyped code does. */
function untyped(work: unknown, ...given: unknown[]): unknown {
  if (typeof work !== "function") throw new Error("this is no function")
  const result: unknown = Reflect.apply(work, undefined, given)
  return result
}

const serve = (options: object): unknown =>
  untyped(createServer, contract, { authenticate: (id: string) => ({ id }), ...options })
const connect = (options: object): unknown =>
  untyped(createClient, contract, { url: "memory:", token: "t", autoConnect: false, ...options })

describe("options", () => {
  it.each(["ws", "", "/ws?room=1", "/ws#a", "/a b", "/a/../ws", "//host/ws", 7])(
    "newcomer-2 refuse the path %j, which no request can match",
    (path) => {
      expect(() => serve({ path })).toThrow(TypeError)
      expect(() => serve({ path })).toThrow(`the path ${JSON.stringify(path)} must begin with "/"`)
    },
  )

  it.each(["/ws", "/", "/a/b/", "/a%20b"])("newcomer-2 accept the path %j", (path) => {
    expect(serve({ path })).toHaveProperty("entrances.path", path)
  })

  it("newcomer-2 refuse unknown names of limits at both ends", () => {
    expect(() => serve({ limits: { mesage: 5 } })).toThrow(TypeError)
    expect(() => serve({ limits: { mesage: 5 } })).toThrow(
      'limits has no option "mesage". Did you mean "message"? Valid names: ',
    )
    expect(() => serve({ limits: { message: { maxByte: 5 } } })).toThrow(
      'limits.message has no option "maxByte"',
    )
    expect(() => serve({ limits: { clientMessage: { a: 5 } } })).toThrow(
      'limits.clientMessage has no option "a"',
    )
    const dial = (): never => {
      throw new Error("unused")
    }
    expect(() => connect({ dial, limits: { mesage: 5 } })).toThrow(TypeError)
    expect(() => connect({ dial, limits: { mesage: 5 } })).toThrow(
      'limits has no option "mesage". Did you mean "message"? Valid names: ',
    )
    expect(() => connect({ dial, limits: { serverMessage: { a: 5 } } })).toThrow(
      'limits.serverMessage has no option "a"',
    )
  })

  it.each([{}, "ws", 5])("newcomer-5 refuse a webSocket that is no constructor: %j", (webSocket) => {
    expect(() => connect({ url: "ws://localhost/ws", webSocket })).toThrow(TypeError)
    expect(() => connect({ url: "ws://localhost/ws", webSocket })).toThrow(
      /^webSocket is .*, not a constructor/,
    )
  })
})

describe("a request", () => {
  it.each(["2s", NaN, Infinity, 0, -1, null])(
    "newcomer-2 with timeoutMs %j is refused before it is sent",
    async (timeoutMs) => {
      const here = createWorld({ profile: "hawser.1" })
      const client = await openClient(here)
      const sent = client.stats().sent
      const shown =
        typeof timeoutMs === "string" ? `"${timeoutMs}"` : timeoutMs === null ? "nil" : `${timeoutMs}`
      const refusal = new RangeError(`timeoutMs must be a number above 0, not ${shown}`)
      await expect(
        untyped(Reflect.get(client, "command"), "echo", { text: "a" }, { timeoutMs }),
      ).rejects.toEqual(refusal)
      await expect(untyped(Reflect.get(client, "query"), "look", {}, { timeoutMs })).rejects.toEqual(refusal)
      await expect(untyped(Reflect.get(client, "connect"), { timeoutMs })).rejects.toEqual(refusal)
      await here.clock.advance(1_000)
      expect([client.stats().sent, client.stats().pending, here.handled]).toEqual([sent, 0, []])
    },
  )

  it("newcomer-2 with an unknown whenOffline is refused before it is sent", async () => {
    const here = createWorld({ profile: "hawser.1" })
    const client = await openClient(here)
    const refusal = new TypeError('whenOffline must be "queue", "fail" or "drop", not "fial"')
    const whenOffline = "fial"
    await expect(
      untyped(Reflect.get(client, "command"), "echo", { text: "a" }, { whenOffline }),
    ).rejects.toEqual(refusal)
    await expect(untyped(Reflect.get(client, "query"), "look", {}, { whenOffline })).rejects.toEqual(refusal)
    await here.clock.advance(1_000)
    expect([client.stats().pending, here.handled]).toEqual([0, []])
  })

  it("newcomer-5 before connect() rejects with a sentence that names connect()", async () => {
    const client = world().client()
    const error = await rejection(client.command("echo", { text: "a" }))
    expect(error).toMatchObject({ code: "not_connected" })
    expect(error.message).toContain("call connect() first")
  })
})

describe("a token", () => {
  it("newcomer-5 that is an empty text is named as such", async () => {
    const here = world()
    const outcome = rejection(here.client({ token: () => "" }).connect())
    await here.clock.advance(1_000)
    expect((await outcome).message).toBe(
      "the token function returned an empty text: log in first, then call connect()",
    )
  })

  it("newcomer-5 that does not arrive is named in the status and in the error of connect()", async () => {
    const here = world()
    const client = here.client({ token: () => new Promise(() => {}) })
    const early = rejection(client.connect({ timeoutMs: 3_000 }))
    const late = rejection(client.connect({ timeoutMs: 8_100 }))
    await here.clock.advance(9_000)
    expect((await early).message).toContain("within 3000 ms")
    expect((await early).message).toContain("; the token function has not returned")
    expect((await late).message).toContain("last: the token function has not returned within 8000 ms")
    client.close()
  })
})

describe("a client that connects by itself and fails", () => {
  it("newcomer-7 reports the reason, once, if no call rejects with it", async () => {
    const here = world()
    const refused = (): never => {
      throw new HawserError("auth_token_invalid", { message: "you are banned", retry: "never" })
    }
    const client = here.client({ autoConnect: true, token: refused })
    await here.clock.advance(1_000)
    expect(client.current).toMatchObject({ state: "closed" })
    expect(here.clientErrors).toEqual([expect.objectContaining({ message: "you are banned" })])
  })

  it("newcomer-7 reports a final fault of its token function by the rejection alone, if a call waits", async () => {
    const here = world()
    const outcome = rejection(here.client({ token: () => "" }).connect())
    await here.clock.advance(1_000)
    expect((await outcome).code).toBe("auth_token_invalid")
    expect(here.clientErrors).toEqual([])
  })

  it("newcomer-7 reports a fault of its token function once", async () => {
    const here = world()
    here.client({ autoConnect: true, token: () => "" })
    await here.clock.advance(1_000)
    expect(here.clientErrors).toHaveLength(1)
  })

  it("newcomer-7 reports nothing if a call rejects with it, or close() was called", async () => {
    const here = world()
    const refused = (): never => {
      throw new HawserError("auth_token_invalid", { retry: "never" })
    }
    const awaited = rejection(here.client({ token: refused }).connect())
    const calling = here.client({ autoConnect: true, token: refused })
    const called = rejection(calling.command("echo", { text: "a" }))
    const closed = here.client({ autoConnect: true })
    closed.close()
    await here.clock.advance(1_000)
    expect([(await awaited).code, (await called).code]).toEqual(["auth_token_invalid", "auth_token_invalid"])
    expect(here.clientErrors).toEqual([])
  })
})

it("newcomer-5 an error of a field quotes a text instead of a number", () => {
  expect(() => untyped(Reflect.get(integer({ min: 0, max: 4095 }), "pack"), "3")).toThrow(
    '"3" is not a whole number from 0 to 4095',
  )
})

describe("a client of another contract", () => {
  it("is refused by name, for good", async () => {
    const here = world()
    const outcome = rejection(here.clientOf(contract).connect())
    await here.clock.advance(60_000)
    expect(await outcome).toMatchObject({
      code: "other_contract",
      retry: "never",
      message: 'this server has the contract "faults", the client "newcomer"',
    })
    expect(here.network.links).toHaveLength(1)
  })
})
