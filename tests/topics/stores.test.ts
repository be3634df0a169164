// A topic's member list and its last items as stores.
import { expect, it } from "vitest"
import { createWorld, settled } from "./harness.ts"

const fine = { state: { mood: "fine" } }

it("keeps a snapshot of the member list and its members until they change", async () => {
  const world = createWorld()
  const [ann, ben] = [await world.open("ann"), await world.open("ben", { reconnect: () => 500 })]
  const { presence } = ben.topic("chat:a")
  const { snapshot, subscribe } = presence
  expect(snapshot()).toEqual({ members: [], count: 0, self: undefined, stale: true })
  await settled(world, ben.topic("chat:a").join(fine))
  const alone = snapshot()
  expect(alone).toMatchObject({ count: 1, self: { user: "ben" }, stale: false })
  expect([snapshot() === alone, Object.isFrozen(alone), alone.self]).toEqual([true, true, alone.members[0]])
  const seen: unknown[] = []
  subscribe(() => seen.push([snapshot().count, snapshot().stale]))
  await settled(world, ann.topic("chat:a").join(fine))
  await world.clock.advance(100)
  expect(snapshot().members[0]).toBe(alone.members[0])
  ben.cut()
  await world.clock.advance(2_000)
  await settled(world, ben.topic("chat:a").leave())
  expect(seen[0]).toEqual([2, false])
  expect(seen).toContainEqual([2, true])
  expect(seen.at(-1)).toEqual([0, true])
})

it("logs the last publications and gaps, as one store for each size", async () => {
  const world = createWorld({ history: { maxCount: 2 } })
  const [ann, ben] = [await world.open("ann"), await world.open("ben")]
  await settled(world, ann.topic("chat:a").join(fine))
  const topic = ben.topic("chat:a")
  const log = topic.log({ size: 3 })
  expect(topic.log({ size: 3 })).toBe(log)
  const texts = (): string[] =>
    log
      .snapshot()
      .map((item) =>
        item.kind === "gap" ? "gap" : item.event === "chatMessage" ? item.payload.text : item.event,
      )
  let changes = 0
  log.subscribe(() => (changes += 1))
  await settled(world, topic.join(fine))
  const say = (text: string) => settled(world, ann.topic("chat:a").publish("chatMessage", { text }))
  for (const text of ["1", "2", "3", "4"]) await say(text)
  expect([texts(), changes]).toEqual([["2", "3", "4"], 4])
  const before = log.snapshot()
  expect([log.snapshot() === before, Object.isFrozen(before)]).toEqual([true, true])
  await settled(world, topic.leave())
  expect(texts()).toEqual(["2", "3", "4"])
  await say("5")
  // A join without a position begins the log again: its replay would repeat items.
  await settled(world, topic.join({ ...fine, recent: 2 }))
  expect(texts()).toEqual(["4", "5"])
})

it("continues a log, with the gap in it, when a join names its position", async () => {
  const world = createWorld({ history: { maxCount: 1 } })
  const [ann, ben] = [await world.open("ann"), await world.open("ben")]
  await settled(world, ann.topic("chat:a").join(fine))
  const topic = ben.topic("chat:a")
  const log = topic.log()
  await settled(world, topic.join(fine))
  const say = (text: string) => settled(world, ann.topic("chat:a").publish("chatMessage", { text }))
  await say("1")
  const since = topic.position
  await settled(world, topic.leave())
  for (const text of ["2", "3"]) await say(text)
  await settled(world, topic.join({ ...fine, ...(since === undefined ? {} : { since }) }))
  expect(log.snapshot()).toMatchObject([
    { kind: "message", payload: { text: "1" } },
    { kind: "gap", gap: { from: 2, to: 2 } },
    { kind: "message", payload: { text: "3" } },
  ])
})

it.each([0, 1.5, 1_025, Number.NaN])("refuses a log of %s items", async (size) => {
  const world = createWorld()
  const ann = await world.open("ann")
  expect(() => ann.topic("chat:a").log({ size })).toThrow(RangeError)
})
