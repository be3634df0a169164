// `canJoin` is called again after a resume, and may answer late. Its answer is for the membership that it was called
// for, not for a later one of the same session.
import { HawserError } from "@hawser/protocol"
import { expect, it } from "vitest"
import { createWorld, listen, settled } from "./harness.ts"

const fine = { state: { mood: "fine" } }

/** Resolves to the code of the error that a promise rejects with. */
function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => (HawserError.is(error) ? error.code : error),
  )
}

it("door-8 a refusal that arrives after its member has left and joined again ends no membership", async () => {
  const refusals: ((error: HawserError) => void)[] = []
  let isSlow = false
  const canJoin = (): boolean | Promise<boolean> =>
    isSlow ? new Promise((_, reject) => refusals.push(reject)) : true
  const world = createWorld({ chat: { canJoin } })
  const ann = await world.open("ann", { reconnect: () => 500 })
  const received = listen(ann, "chat:a")
  const room = ann.topic("chat:a")
  await settled(world, room.join(fine))
  isSlow = true
  world.network.links.at(-1)?.cut()
  await world.clock.advance(2_000)
  isSlow = false
  await settled(world, room.leave())
  await settled(world, room.join(fine))
  expect([room.state, refusals.length]).toEqual(["in", 1])
  refusals[0]?.(new HawserError("forbidden"))
  await world.clock.advance(1_000)
  world.server.topic("chat:a").publish("chatMessage", { text: "still here" })
  await world.clock.advance(100)
  expect([room.state, received, world.errors]).toEqual(["in", ["1 still here"], []])
})

it("door-10 calls the hook again once after an answer, whatever happened meanwhile, and not during it", async () => {
  const answers: ((allowed: boolean) => void)[] = []
  let isSlow = false
  const canJoin = (): boolean | Promise<boolean> =>
    isSlow ? new Promise((resolve) => answers.push(resolve)) : true
  const world = createWorld({ chat: { canJoin } })
  const ann = await world.open("ann", { reconnect: () => 500 })
  const room = ann.topic("chat:a")
  await settled(world, room.join(fine))
  isSlow = true
  const reconnect = async (): Promise<void> => {
    world.network.links.at(-1)?.cut()
    await world.clock.advance(10_000)
    expect(ann.current.state).toBe("open")
  }
  for (let time = 0; time < 3; time += 1) await reconnect()
  expect(answers).toHaveLength(1)
  answers[0]?.(true)
  await world.clock.advance(100)
  expect([room.state, answers.length]).toEqual(["in", 2])
  answers[1]?.(true)
  await world.clock.advance(100)
  expect([room.state, answers.length]).toEqual(["in", 2])
  // A hook that never answers keeps a member for a minute at most.
  await reconnect()
  await world.clock.advance(60_000)
  await reconnect()
  expect(answers).toHaveLength(4)
  answers[3]?.(false)
  await world.clock.advance(100)
  expect([room.state === "in", world.errors]).toEqual([false, []])
})

it("a client whose join is refused leaves, if a join that it has abandoned made it a member", async () => {
  const answers: ((allowed: boolean) => void)[] = []
  const canJoin = (): Promise<boolean> => new Promise((resolve) => answers.push(resolve))
  const world = createWorld({ chat: { canJoin }, latencyMs: 40 })
  const ann = await world.open("ann", { limits: { requestTimeoutMs: 100 } })
  const room = ann.topic("chat:a")
  const first = codeOf(room.join(fine))
  await world.clock.advance(90)
  answers[0]?.(true)
  // The join has timed out, and the EVENT of its success is under way.
  await world.clock.advance(20)
  expect(await first).toBe("timeout")
  const second = codeOf(room.join(fine))
  await world.clock.advance(45)
  expect([room.state, answers.length]).toEqual(["in", 2])
  answers[1]?.(false)
  await world.clock.advance(200)
  expect(await second).toBe("forbidden")
  expect([room.state, world.server.local.topic("chat:a").size]).toEqual(["out", 0])
  const third = codeOf(room.join(fine))
  await world.clock.advance(45)
  answers[2]?.(true)
  await world.clock.advance(50)
  expect(await third).toBe(undefined)
  expect([room.state, world.errors]).toEqual(["in", []])
})
