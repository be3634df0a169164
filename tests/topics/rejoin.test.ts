// Joins that do not wait for the previous leave: messages of the left membership may still be under way, and none
// arrives twice after the call of the join. Real ends over an in-memory network, a simulated clock.
import { HawserError } from "@hawser/protocol"
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, listen, settled } from "./harness.ts"
import type { World } from "./harness.ts"

/** Publishes one note each `everyMs`; their texts are their numbers, which equal their offsets. */
function publishEvery(world: World, everyMs: number): { stop(): void; readonly count: number } {
  let count = 0
  let isOn = true
  const publish = (): void => {
    if (!isOn) return
    count += 1
    world.server.topic("lobby").publish("chatMessage", { text: `${count}` })
    world.clock.schedule(everyMs, publish)
  }
  publish()
  return {
    stop() {
      isOn = false
    },
    get count() {
      return count
    },
  }
}

const lobby = { history: { maxCount: 1_000 }, canJoin: () => true }

describe("a join that does not wait for the leave before it", () => {
  it("surprise-C5 delivers no publication again that arrived while the leave was under way", async () => {
    const world = createWorld({ latencyMs: 50, lobby })
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    const received = listen(ann, "lobby")
    await settled(world, room.join())
    const publishing = publishEvery(world, 10)
    await world.clock.advance(1_000)
    const left = room.leave()
    received.length = 0
    const joined = room.join({ recent: 5 })
    await settled(world, Promise.all([left, joined]), 1_000)
    publishing.stop()
    await world.clock.advance(500)
    const offsets = received.map((line) => Number.parseInt(line, 10))
    const [first = 0] = offsets
    expect(offsets).toEqual(Array.from({ length: offsets.length }, (_, place) => first + place))
    expect(offsets.at(-1)).toBe(publishing.count)
    expect(offsets.length).toBeGreaterThan(50)
    expect(world.errors).toEqual([])
  })

  it("surprise-C5 ignores the replies of an older join", async () => {
    const world = createWorld({ latencyMs: 50, lobby })
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    for (const text of ["1", "2", "3"]) world.server.topic("lobby").publish("chatMessage", { text })
    const received = listen(ann, "lobby")
    const first = room.join({ recent: 2 }).catch((error: unknown) => HawserError.is(error) && error.code)
    await world.clock.advance(20)
    room.leave().catch((error: unknown) => world.errors.push(error))
    const second = room.join({ recent: 2 })
    await world.clock.advance(90)
    // The reply to the first join has arrived.
    expect(room.state).toBe("joining")
    expect([await first, await settled(world, second)]).toEqual(["cancelled", undefined])
    expect(received).toEqual(["2 2", "3 3"])
    expect([room.state, world.server.local.topic("lobby").size]).toEqual(["in", 1])
  })

  it("surprise-C5 continues after the publications of an abandoned join", async () => {
    const world = createWorld({ latencyMs: 50, lobby })
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    await settled(world, room.join(), 1_000)
    await settled(world, room.leave(), 1_000)
    const since = room.position
    for (const text of ["1", "2", "3"]) world.server.topic("lobby").publish("chatMessage", { text })
    const received = listen(ann, "lobby")
    const from = since === undefined ? {} : { since }
    room.join(from).catch(() => {})
    await world.clock.advance(75)
    // The server has replied; the reply is under way.
    room.leave().catch((error: unknown) => world.errors.push(error))
    await world.clock.advance(40)
    expect(received).toHaveLength(3)
    await settled(world, room.join(from), 1_000)
    expect(received).toEqual(["1 1", "2 2", "3 3"])
    expect([world.server.local.topic("lobby").size, world.errors]).toEqual([1, []])
  })

  it("surprise-C5 receives each publication once in a membership, at any moments of leaves and joins", async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed)
      const world = createWorld({
        latencyMs: 5 + random() * 60,
        lobby,
      })
      const ann = await world.open("ann")
      const room = ann.topic("lobby")
      let offsets: number[] = []
      room.on("chatMessage", (_payload, { offset = 0 }) => offsets.push(offset))
      const publishing = publishEvery(world, 3 + random() * 20)
      const checkStay = (): void => {
        const ordered = [...new Set(offsets)].toSorted((one, other) => one - other)
        expect(offsets, `seed ${seed}`).toEqual(ordered)
      }
      for (let turn = 0; turn < 25; turn += 1) {
        room.leave().catch(() => {})
        checkStay()
        offsets = []
        const { position } = room
        const how = random()
        room
          .join(
            how < 0.6
              ? { recent: 1 + Math.floor(random() * 8) }
              : position && how < 0.8
                ? { since: position }
                : {},
          )
          .catch(() => {})
        await world.clock.advance(random() < 0.5 ? random() * 60 : random() * 400)
      }
      await world.clock.advance(1_000)
      publishing.stop()
      await world.clock.advance(1_000)
      checkStay()
      expect([offsets.at(-1), room.state], `seed ${seed}`).toEqual([publishing.count, "in"])
      expect(world.errors).toEqual([])
    }
  })
})

it("a join under way rejects with the cause when its client is closed for good, as a ban does", async () => {
  const world = createWorld({ lobby: { canJoin: () => new Promise(() => {}) } })
  const ann = await world.open("ann")
  const joined = ann.topic("lobby").join()
  const outcome = joined.catch((error: unknown) => error)
  await world.clock.advance(100)
  await world.server.endSessions({ user: "ann", code: "auth_forbidden" })
  await world.clock.advance(1_000)
  expect(ann.current.state).toBe("closed")
  expect(await Promise.race([outcome, Promise.resolve("pending")])).toMatchObject({ code: "auth_forbidden" })
})
