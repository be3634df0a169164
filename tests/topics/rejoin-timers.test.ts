// Timers of a room: for a join that waits for a leave, and between attempts to rejoin. Each ends with its purpose, and
// does not affect the next join. Real ends over an in-memory network, a simulated clock.
import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { boundlessDials } from "../faults/harness.ts"
import { createWorld, listen, settled } from "./harness.ts"
import type { World } from "./harness.ts"

const fine = { state: { mood: "fine" } }

/** Codes of the rejections, in order. */
function watch(codes: string[], promise: Promise<void>): void {
  promise.catch((error: unknown) => codes.push(HawserError.is(error) ? error.code : String(error)))
}

function goOffline({ network }: World): void {
  network.listening = false
  network.links.at(-1)?.cut()
}

describe("a join that waits for the reply to a leave", () => {
  it("door-8 has its own timeout, not that of an abandoned join before it", async () => {
    const world = createWorld()
    const ann = await world.open("ann", { reconnect: () => 500, limits: boundlessDials })
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    goOffline(world)
    const codes: string[] = []
    watch(codes, room.leave())
    watch(codes, room.join(fine))
    await world.clock.advance(5_000)
    watch(codes, room.leave())
    const joined = room.join(fine)
    watch(codes, joined)
    // The timeout of the first join is over here, that of the second one is not.
    await world.clock.advance(7_000)
    expect(room.state).toBe("joining")
    world.network.listening = true
    expect(await settled(world, joined, 1_000)).toBeUndefined()
    expect([codes, room.state]).toEqual([["cancelled", "timeout"], "in"])
  })

  it("door-8 has no timer any more once it is in", async () => {
    let asked = 0
    const world = createWorld({ chat: { canJoin: () => ++asked > 0 } })
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    const left = room.leave()
    await settled(world, Promise.all([left, room.join(fine)]))
    await world.clock.advance(30_000)
    expect([room.state, received, asked]).toEqual(["in", [], 2])
  })
})

describe("a leave that finds the send buffer full", () => {
  /** Joins ann, then takes her offline with a full send buffer. */
  async function createScene() {
    const world = createWorld()
    const limits = { ...boundlessDials, sendBufferMaxCount: 2 }
    const ann = await world.open("ann", { reconnect: () => 500, limits })
    const board = ann.topic("board:a")
    await settled(world, board.join())
    world.server.topic("board:a").replica("cursors").set("a", { x: 1, name: "" })
    await world.clock.advance(200)
    goOffline(world)
    for (const text of ["first", "second"]) {
      const published = ann.topic("lobby").publish("chatMessage", { text })
      published.catch(() => {})
    }
    expect(ann.stats().bufferedMessages).toBe(2)
    const left = board.leave()
    left.catch(() => {})
    await world.clock.advance(1)
    return { world, ann, board, left }
  }

  it("reaches the server later, and a join after it is a new one", async () => {
    const { world, board, left } = await createScene()
    await world.clock.advance(3_000)
    world.network.listening = true
    await world.clock.advance(3_000)
    await left
    expect(world.server.stats()).toMatchObject({ topicMembers: 0, sessionsResumed: 1 })
    await settled(world, board.join())
    expect([board.state, board.replica("cursors").stale]).toEqual(["in", false])
    expect(world.errors).toEqual([])
  })

  it("is over when its session has ended", async () => {
    const { world, board, left } = await createScene()
    world.restart()
    world.network.listening = true
    await world.clock.advance(900)
    await left
    const joined = board.join()
    await settled(world, joined)
    expect([board.state, world.server.stats().topicMembers]).toEqual(["in", 1])
    expect(world.errors).toEqual([])
  })

  it("leaves no timer on a client that is closed", async () => {
    const { ann, left } = await createScene()
    ann.close()
    await left
    expect(ann.stats().timers).toBe(0)
  })
})

describe("a room that must wait for a rejoin", () => {
  /** Joins ann; from then on `refusal` decides. */
  async function createScene() {
    const scene = { asked: 0, refusal: (): HawserError | undefined => undefined }
    const canJoin = (): boolean => {
      scene.asked += 1
      const refusal = scene.refusal()
      if (refusal !== undefined) throw refusal
      return true
    }
    const world = createWorld({ limits: { resumeWindowMs: 100 }, chat: { canJoin } })
    const ann = await world.open("ann", { reconnect: () => 500 })
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    scene.asked = 0
    return { world, room, scene }
  }

  it("door-8 starts at the shortest delay in each series of refusals", async () => {
    const { world, room, scene } = await createScene()
    scene.refusal = () => (scene.asked <= 3 ? new HawserError("rate_limited") : undefined)
    world.network.links.at(-1)?.cut()
    await world.clock.advance(20_000)
    expect([room.state, scene.asked]).toEqual(["in", 4])
    scene.asked = 0
    scene.refusal = () => (scene.asked <= 1 ? new HawserError("rate_limited") : undefined)
    world.network.links.at(-1)?.cut()
    // The session is a new one after 0.5 s, and the next attempt 1 s after its refusal.
    await world.clock.advance(2_000)
    expect([room.state, scene.asked]).toEqual(["in", 2])
  })

  it("door-8 does not try again when it has joined in the next session", async () => {
    const { world, room, scene } = await createScene()
    scene.refusal = () => new HawserError("rate_limited", { retryAfterMs: 20_000 })
    world.network.links.at(-1)?.cut()
    await world.clock.advance(2_000)
    expect([room.state, scene.asked]).toEqual(["rejoining", 1])
    scene.refusal = () => undefined
    world.network.links.at(-1)?.cut()
    await world.clock.advance(2_000)
    expect([room.state, scene.asked]).toEqual(["in", 2])
    await world.clock.advance(60_000)
    expect([room.state, scene.asked]).toEqual(["in", 2])
  })
})
