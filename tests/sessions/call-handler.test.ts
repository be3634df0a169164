import { HawserError, defineContract } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createServer } from "@hawser/server"
import { callHandler } from "@hawser/server/testing"
import type { SentEvent } from "@hawser/server/testing"

interface Player {
  readonly id: string
  readonly level: number
}

const contract = defineContract({
  name: "unit",
  commands: {
    move: {
      input: z.object({ direction: z.enum(["UP", "DOWN"]), steps: z.number().default(1) }),
      output: z.object({ y: z.number() }),
      limit: { everyMs: 1_000_000, burst: 1 },
    },
  },
  queries: {
    born: { input: z.object({}), output: z.object({ at: z.string().transform((text) => new Date(text)) }) },
    empty: { input: z.object({}), output: z.looseObject({}) },
  },
  events: { moved: { payload: z.object({ id: z.string() }) } },
  streams: { days: { input: z.object({}), item: z.number() } },
})
const user: Player = { id: "ann", level: 3 }

function create() {
  const errors: unknown[] = []
  const server = createServer(contract, {
    authenticate: (id): Player => ({ id, level: 1 }),
    onError: (error) => errors.push(error),
  })
  return { server, errors }
}

describe("callHandler", () => {
  it("returns the result that the client would receive, after validation of the input, with no rate limit", async () => {
    const { server } = create()
    server.command("move", ({ input, session }) => ({
      y: input.steps * session.user.level * (input.direction === "UP" ? 1 : -1),
    }))
    server.query("born", async () => ({ at: "2026-01-02T00:00:00.000Z" }))
    expect(await callHandler(server, "move", { user, input: { direction: "UP" } })).toEqual({ y: 3 })
    expect(await callHandler(server, "move", { user, input: { direction: "DOWN", steps: 2 } })).toEqual({
      y: -6,
    })
    const { at } = await callHandler(server, "born", { user, input: {} })
    expect(at).toEqual(new Date("2026-01-02"))
  })

  it("rejects with the error of the client: of the validation, of the handler, of middleware", async () => {
    const { server, errors } = create()
    server.command(
      "move",
      { use: [({ session }, next) => (session.user.level > 1 ? next() : refuse())] },
      () => {
        throw new HawserError("rate_limited", { message: "too fast", retryAfterMs: 5 })
      },
    )
    const input: unknown = { direction: "LEFT" }
    const wrong: { direction: "UP" } = Object.assign({ direction: "UP" as const }, input)
    await expect(callHandler(server, "move", { user, input: wrong })).rejects.toMatchObject({
      code: "invalid_input",
      details: { issues: [{ path: "direction" }] },
    })
    const call = (level: number) =>
      callHandler(server, "move", { user: { id: "ann", level }, input: { direction: "UP" } })
    await expect(call(3)).rejects.toMatchObject({
      code: "rate_limited",
      message: "too fast",
      retryAfterMs: 5,
    })
    await expect(call(1)).rejects.toMatchObject({ code: "forbidden" })
    expect(errors).toEqual([])
  })

  it("gives the cause of a fault of the server", async () => {
    const { server, errors } = create()
    const fault = new Error("the store is down")
    server.command("move", () => Promise.reject(fault))
    const error = callHandler(server, "move", { user, input: { direction: "UP" } })
    await expect(error).rejects.toMatchObject({ code: "sys_internal_error", cause: fault })
    expect(errors).toEqual([])
  })

  it("rejects a result that does not fit its schema, or cannot be sent", async () => {
    const { server } = create()
    const untyped: unknown = { y: "1" }
    server.command("move", () => Object.assign({ y: 1 }, untyped))
    const unsendable: unknown = { run: () => 1 }
    server.query("empty", () => Object.assign({}, unsendable))
    await expect(callHandler(server, "move", { user, input: { direction: "UP" } })).rejects.toMatchObject({
      code: "sys_internal_error",
    })
    await expect(callHandler(server, "empty", { user, input: {} })).rejects.toMatchObject({
      code: "sys_internal_error",
    })
  })

  it("needs no input for a call without one", async () => {
    const pinged = defineContract({ name: "pinged", queries: { ping: {} } })
    const server = createServer(pinged, { authenticate: (id) => ({ id }) })
    const inputs: unknown[] = []
    server.query("ping", ({ input }) => inputs.push(input))
    expect(await callHandler(server, "ping", { user: { id: "ann" } })).toBeUndefined()
    expect(inputs).toEqual([undefined])
  })

  it("collects the events of the session, and runs deferred functions", async () => {
    const { server } = create()
    const outcomes: unknown[] = []
    server.query("empty", ({ session, afterReply }) => {
      outcomes.push(session.send("moved", { id: session.user.id }))
      afterReply(() => outcomes.push("after"))
      session.end()
      outcomes.push(session.active, session.send("moved", { id: "late" }))
      return {}
    })
    const sent: SentEvent[] = []
    expect(await callHandler(server, "empty", { user, input: {}, sent })).toEqual({})
    expect(sent).toEqual([{ event: "moved", payload: { id: "ann" } }])
    // Both sends and the end wait for the end of the handler, in this order.
    expect(outcomes).toEqual(["held", true, "held", "after"])
    expect(server.local.sessions()).toEqual([])
  })

  it("rejects with a TypeError for a wrong name, a missing handler, and another server", async () => {
    const { server } = create()
    server.stream("days", () => [1])
    const untyped = async (name: string, of: object = server): Promise<unknown> => {
      const result: unknown = await Reflect.apply(callHandler, undefined, [of, name, { user, input: {} }])
      return result
    }
    await expect(untyped("days")).rejects.toThrow(
      new TypeError('the contract "unit" has no command or query "days". Valid names: move, born, empty'),
    )
    const passing = async (call?: unknown): Promise<unknown> => {
      const result: unknown = await Reflect.apply(callHandler, undefined, [server, "move", call])
      return result
    }
    await expect(passing()).rejects.toThrow(
      "callHandler needs options: callHandler(server, name, { user, input })",
    )
    await expect(passing({ user, inputs: {} })).rejects.toThrow(
      'has no option "inputs". Did you mean "input"?',
    )
    await expect(untyped("$join")).rejects.toThrow(TypeError)
    await expect(untyped("move")).rejects.toThrow(new TypeError('no handler for "move"'))
    await expect(untyped("move", {})).rejects.toThrow(
      "callHandler takes a server that createServer has returned",
    )
    server.query("empty", () => ({}))
    await expect(callHandler(server, "empty", { user: { id: "", level: 1 }, input: {} })).rejects.toThrow(
      TypeError,
    )
  })
})

function refuse(): never {
  throw new HawserError("forbidden")
}
