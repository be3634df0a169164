// Iterations that begin with a join, or right after it: they yield the history first.
import { unwatched } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const recent = { state: { mood: "fine" }, recent: 20 }

function publish(world: World, ...texts: readonly string[]): void {
  for (const text of texts) world.server.topic("chat:a").publish("chatMessage", { text })
}

/** Reads a topic into short lines, from now on. */
function read(client: TopicClient): string[] {
  const lines: string[] = []
  const reading = (async () => {
    for await (const item of client.topic("chat:a")) {
      if (item.kind === "gap") lines.push(`gap ${item.gap.from}-${item.gap.to} ${item.gap.reason}`)
      else if (item.event === "chatMessage") lines.push(`${item.meta.offset} ${item.payload.text}`)
    }
    lines.push("end")
  })()
  unwatched(reading)
  return lines
}

describe("an iteration of a topic", () => {
  it("newcomer-8 that begins right after a join yields the history first, then later publications", async () => {
    const world = createWorld()
    publish(world, "one", "two")
    const ann = await world.open("ann")
    const reading = (async () => {
      await ann.topic("chat:a").join(recent)
      return [read(ann), read(ann)]
    })()
    await world.clock.advance(100)
    publish(world, "three")
    await world.clock.advance(100)
    for (const lines of await reading) expect(lines).toEqual(["1 one", "2 two", "3 three"])
  })

  it("that begins with a join, or while it is under way, yields each publication once", async () => {
    const world = createWorld({ limits: { topicPageMaxCount: 2 }, latencyMs: 20 })
    const texts = ["one", "two", "three", "four", "five"]
    publish(world, ...texts)
    const ann = await world.open("ann")
    const joined = ann.topic("chat:a").join(recent)
    const first = read(ann)
    await world.clock.advance(50)
    const second = read(ann)
    expect(ann.topic("chat:a").state).toBe("joining")
    await settled(world, joined, 1_000)
    const all = texts.map((text, at) => `${at + 1} ${text}`)
    expect([first, second]).toEqual([all, all])
  })

  it("that begins in a later turn yields later publications only", async () => {
    const world = createWorld()
    publish(world, "one")
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(recent))
    const lines = read(ann)
    publish(world, "two")
    await world.clock.advance(100)
    expect(lines).toEqual(["2 two"])
  })

  it("that begins right after a join ends with the membership, and the next one repeats nothing", async () => {
    const world = createWorld()
    publish(world, "one")
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    const lines: string[][] = []
    const both = (async () => {
      await room.join(recent)
      lines.push(read(ann))
      await room.leave()
      await room.join({ ...recent, recent: 0 })
      lines.push(read(ann))
    })()
    await settled(world, both, 500)
    expect(lines).toEqual([["1 one", "end"], []])
  })

  it("that begins right after a join of more than 1,024 publications yields a gap in place of the oldest", async () => {
    const world = createWorld({ history: { maxCount: 2_000, maxBytes: 1_000_000 } })
    publish(world, ...Array.from({ length: 1_100 }, (_, at) => `${at + 1}`))
    const ann = await world.open("ann")
    const reading = (async () => {
      await ann.topic("chat:a").join({ ...recent, recent: 1_100 })
      return ann.topic("chat:a")[Symbol.asyncIterator]()
    })()
    await world.clock.advance(5_000)
    const reader = await reading
    const { epoch } = ann.topic("chat:a").position ?? {}
    const gap = { topic: "chat:a", epoch, from: 1, to: 77, reason: "overrun" }
    expect((await reader.next()).value).toEqual({ kind: "gap", gap })
    for (let offset = 78; offset <= 1_100; offset += 1)
      expect((await reader.next()).value).toMatchObject({ kind: "message", meta: { offset } })
  })

  it("that begins after a refused join yields nothing of it", async () => {
    let isAllowed = false
    const world = createWorld({ chat: { canJoin: () => isAllowed } })
    publish(world, "one")
    const ann = await world.open("ann")
    expect(await settled(world, ann.topic("chat:a").join(recent))).toBe("forbidden")
    isAllowed = true
    const lines = read(ann)
    await settled(world, ann.topic("chat:a").join(recent))
    expect(lines).toEqual(["1 one"])
  })
})
