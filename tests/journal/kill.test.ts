// A server process that is killed and started again: its sessions continue, without loss, repetition or reordering.
import type { SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import { faultLives } from "./lives.ts"

describe("a session whose server is killed", () => {
  it("trap-11 continues at the next process, in both directions", async () => {
    const { process, world } = faultLives()
    await process.start()
    const client = process.client("ann")
    const received: string[] = []
    const events: SessionEvent[] = []
    client.on("note", ({ text }) => received.push(text))
    client.onSession((event) => events.push(event))
    const connected = client.connect()
    await process.clock.advance(100)
    await connected
    const replies: Promise<unknown>[] = []
    const handled: string[] = []
    const texts: string[] = []
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        const text = `${round}-${count}`
        texts.push(text)
        process.server.local.sessions()[0]?.send("note", { text })
        replies.push(client.command("echo", { text }))
      }
      await process.clock.advance(37)
      if (round % 4 === 3) {
        process.kill()
        handled.push(...world().handled)
        await process.clock.advance(50)
        await process.start()
        expect(process.server.recovery).toMatchObject({ sessions: 1, setAside: 0, isWhole: true })
        await process.clock.advance(3_000)
      }
    }
    await process.clock.advance(5_000)
    handled.push(...world().handled)
    expect(await Promise.all(replies)).toEqual(texts.map((text) => ({ text })))
    expect(received).toEqual(texts)
    expect(handled).toEqual(texts)
    expect(events.map(({ kind }) => kind)).toEqual(["opened", ...Array.from({ length: 5 }, () => "resumed")])
    expect(world().serverErrors).toEqual([])
  })
})

describe("trap-10 a request with an idempotency key", () => {
  it("is executed once, also if it is repeated in a new session after a kill", async () => {
    const { process, world } = faultLives()
    await process.start()
    const first = process.client("ann")
    const connected = first.connect()
    await process.clock.advance(100)
    await connected
    const reply = first.command("echo", { text: "a" }, { key: "k" })
    await process.clock.advance(100)
    expect(await reply).toEqual({ text: "a" })
    expect(world().handled).toEqual(["a"])
    process.kill()
    await process.start()
    const second = process.client("ann", 2)
    const again = second.connect()
    await process.clock.advance(100)
    await again
    const repeated = second.command("echo", { text: "b" }, { key: "k" })
    await process.clock.advance(100)
    expect(await repeated).toEqual({ text: "a" })
    expect(world().handled).toEqual([])
  })
})

describe("trap-03 a session that has ended", () => {
  it("stays ended after a kill, and a late claim gets its cause", async () => {
    const { process } = faultLives()
    await process.start()
    const client = process.client("ann")
    const connected = client.connect()
    await process.clock.advance(100)
    await connected
    const statuses: unknown[] = []
    client.onStatus((status) => statuses.push(status))
    // The end is journaled before it is sent; the client never receives it.
    process.server.local.sessions()[0]?.end("banned")
    await process.clock.advance(1)
    process.kill()
    await process.start()
    expect(process.server.local.sessions()).toEqual([])
    await process.clock.advance(5_000)
    expect(statuses.at(-1)).toMatchObject({ state: "closed", error: { code: "banned" } })
  })
})

describe("committed", () => {
  it("resolves once a message would survive a kill, also in a turn without output", async () => {
    const { process } = faultLives()
    await process.start()
    const client = process.client("ann")
    const texts: string[] = []
    client.on("note", ({ text }) => texts.push(text))
    await process.connect(client)
    process.server.local.sessions()[0]?.send("note", { text: "kept" })
    let isKept = false
    const kept = process.server.committed().then(() => (isKept = true))
    expect(isKept).toBe(false)
    await process.clock.settle()
    await kept
    process.kill()
    await process.start()
    await process.clock.advance(5_000)
    expect(texts).toEqual(["kept"])
  })

  it("resolves at once without a journal", async () => {
    const { server } = createWorld({ profile: "hawser.1" })
    await server.committed()
    expect(server.recovery).toBeUndefined()
  })
})
