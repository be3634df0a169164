// A user who sends more than the bucket holds is paused (M4). Only pauses that follow one another are a flood.
import { expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import { sayHello } from "./scripted-client.ts"

const limits = { userBytesPerSecond: 1_000, userByteBurst: 1_000, throttledMaxMs: 2_000 }

/** Each of these is more than the bucket holds, so none of them ever finds the user out of debt. */
async function send(everyMs: number, count: number) {
  const world = createWorld({ profile: "hawser.1", limits })
  const client = await sayHello(world)
  const request = { kind: "request", call: undefined, type: "echo", budgetMs: 0 } as const
  for (let reference = 1; reference <= count; reference += 1) {
    client.say({ ...request, payload: { text: "x".repeat(1_500) }, reference })
    await world.clock.advance(everyMs)
  }
  return { world, client }
}

it("door-8 a user who is paused now and then, and sends nothing meanwhile, is never called a flood", async () => {
  const { world, client } = await send(3_000, 10)
  expect(world.server.stats()).toMatchObject({ throttledPauses: 10, sessions: 1, connections: 1 })
  expect([client.closes, client.refusal, world.handled.length]).toEqual([[], undefined, 10])
})

it("door-8 a user whose messages wait, one pause after the other, is one after throttledMaxMs", async () => {
  const { world, client } = await send(500, 10)
  expect(client.closes).toEqual([4429])
  expect(world.server.stats().sessions).toBe(0)
})
