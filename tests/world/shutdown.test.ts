// The end of the world's process after a signal, and the data that it keeps.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { at } from "../conformance-2.0/expect.ts"
import { enter, enterWhole, newAccount } from "../conformance-2.0/player.ts"
import { expectSuccess } from "../conformance-2.0/reply.ts"
import { expectShutdown } from "../conformance-2.0/shutdown.ts"
import { createWalker, takeFreeStep } from "../conformance-2.0/walking.ts"
import { openRawSession } from "../sockets/harness.ts"
import { caseContext } from "./case-context.ts"
import { freePort } from "./free-port.ts"
import { WorldProcess } from "./start-world.ts"

let world: WorldProcess

beforeEach(async () => {
  world = new WorldProcess({ port: await freePort() })
  await world.start()
}, 60_000)
afterEach(() => world.remove())

/** Limit of the whole shutdown, closing handshakes included. */
const shutdownMs = 10_000

describe("a world that receives a signal to stop", { timeout: 60_000 }, () => {
  it("announces the stop to a 2.0 client, closes with 1012 and ends with 0", async () => {
    const { client } = await enterWhole(caseContext(world))
    const startedMs = performance.now()
    world.signal("SIGTERM")
    await expectShutdown(client, shutdownMs)
    expect(await world.exit()).toMatchObject({ code: 0, stderr: "" })
    expect(performance.now() - startedMs).toBeLessThan(shutdownMs)
  })

  it("sends goaway to a hawser.1 client, closes with 4503 and ends with 0", async () => {
    const { token } = await newAccount(caseContext(world))
    const peer = await openRawSession(world.webSocketUrl, "hawser.1", token)
    const startedMs = performance.now()
    world.signal("SIGTERM")
    const goaway = await peer.next("goaway")
    expect(goaway).toHaveProperty("reason", expect.stringMatching(/\S/))
    expect(goaway).toHaveProperty("backInMs", 3_000)
    const close = await peer.closed
    expect(close.code).toBe(4503)
    expect(close.reason).not.toBe("")
    expect(await world.exit()).toMatchObject({ code: 0, stderr: "" })
    expect(performance.now() - startedMs).toBeLessThan(shutdownMs)
  })

  it.each(["SIGTERM", "SIGINT"] as const)("ends at once with 1 after a second %s", async (signal) => {
    // A client that does not read does not answer the close either: the first signal waits for it.
    const { client } = await enterWhole(caseContext(world))
    client.pause()
    world.signal("SIGINT")
    await world.waitForOutput(/shutting down/)
    world.signal(signal)
    // A shutdown that completes exits with 0.
    expect(await world.exit()).toMatchObject({ code: 1 })
  })

  it("keeps a player's position, also from the second before the end", async () => {
    const player = await enterWhole(caseContext(world))
    const walker = createWalker(player)
    await takeFreeStep(walker)
    expect((await world.stop()).code).toBe(0)
    await world.start()
    const { welcome } = await enter(caseContext(world), player.account)
    expect(at(welcome.payload, "position")).toEqual(walker.position())
  })

  it("serves the same accounts and tokens again after SIGKILL", async () => {
    const account = await newAccount(caseContext(world))
    expect((await world.kill()).code).toBeNull()
    await world.start()
    const { client } = await enter(caseContext(world), account)
    expectSuccess(await client.request("cmd_chat_send", { message: "still here" }))
  })
})
