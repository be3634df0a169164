import { SimulatedClock } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { AttachmentTimes } from "./attachment-times.ts"

it("measures each attached and detached period once, by its end", async () => {
  const clock = new SimulatedClock()
  const times = new AttachmentTimes(clock)
  const [ann, ben] = [{}, {}]
  times.attach(ann)
  times.attach(ben)
  await clock.advance(300)
  times.detach(ann)
  times.detach(ben)
  await clock.advance(100)
  times.detach(ann)
  await clock.advance(900)
  times.attach(ann)
  expect(times.size).toBe(2)
  times.end(ben)
  await clock.advance(50)
  // A takeover: the session stays attached.
  times.attach(ann)
  await clock.advance(150)
  times.end(ann)
  expect(times.attached.read()).toMatchObject({ count: 3, sumMs: 300 + 300 + 200 })
  expect(times.resumed.read()).toMatchObject({ count: 1, sumMs: 1_000 })
  expect(times.ended.read()).toMatchObject({ count: 1, sumMs: 1_000 })
  expect(times.size).toBe(0)
})

it("ignores the end of a session that never began", () => {
  const times = new AttachmentTimes(new SimulatedClock())
  times.detach({})
  times.end({})
  expect([times.attached.count, times.resumed.count, times.ended.count, times.size]).toEqual([0, 0, 0, 0])
})
