// What a server must do though its client does nothing about it: each is a rule that no honest client would miss.
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import { sayHello } from "./scripted-client.ts"

describe("a client that answers pings and acknowledges nothing", () => {
  it("is closed with 4408 after ackProgressMs, not before, and its session waits", async () => {
    const limits = { ackProgressMs: 5_000, pingAfterMs: 1_000, pongTimeoutMs: 1_000 }
    const world = createWorld({ profile: "hawser.1", limits })
    const client = await sayHello(world)
    const [session] = world.server.sessions()
    session?.send("note", { text: "for nobody" })
    await world.clock.advance(4_900)
    expect([client.closes, session?.attached]).toEqual([[], true])
    await world.clock.advance(1_000)
    expect([client.closes, session?.attached, session?.active]).toEqual([[4408], false, true])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 1, silentConnectionsClosed: 0 })
  })
})

describe("the WELCOME of a resume", () => {
  it("tells of what was received, and lets go only of what is handled", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sayHello(world)
    const request = { kind: "request", call: undefined, budgetMs: 0 } as const
    first.say({ ...request, type: "echo", payload: { text: "done" }, reference: 1 })
    first.say({ ...request, type: "slow", payload: { ms: 10_000 }, reference: 2 })
    await world.clock.settle()
    first.cut()
    await world.clock.settle()
    const { sessionId = "", resumeToken } = first.welcome ?? {}
    const resume = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0 }
    const second = await sayHello(world, { dial: 2, resume })
    expect(second.welcome).toMatchObject({ sessionId, resumed: true, received: 2, handled: 1 })
  })
})

describe("a session that is ended twice", () => {
  it("ends once, with the first cause, and its client hears of one", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    const client = await sayHello(world)
    const [session] = world.server.sessions()
    session?.end("forbidden")
    session?.end("cheated")
    await world.clock.advance(1_000)
    expect(ends).toEqual(["forbidden"])
    expect(client.heard.flatMap((frame) => (frame.kind === "bye" ? [frame.code] : []))).toEqual(["forbidden"])
    expect(world.server.stats().sessions).toBe(0)
  })
})
