import { SimulatedClock } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { Absences } from "./absences.ts"

it("measures from the first moment of an absence to its end, by how it ended", async () => {
  const clock = new SimulatedClock()
  const absences = new Absences(clock)
  const [ann, ben] = [{}, {}]
  absences.begin(ann)
  await clock.advance(300)
  absences.begin(ann)
  absences.begin(ben)
  expect(absences.size).toBe(2)
  await clock.advance(700)
  absences.end(ann, "resumed")
  absences.end(ben, "ended")
  expect(absences.resumed.read()).toMatchObject({ count: 1, sumMs: 1_000 })
  expect(absences.ended.read()).toMatchObject({ count: 1, sumMs: 700 })
  expect(absences.size).toBe(0)
})

it("ignores the end of what never began: a takeover, or a session that ends while its client is there", () => {
  const absences = new Absences(new SimulatedClock())
  absences.end({}, "resumed")
  absences.end({}, "ended")
  expect([absences.resumed.count, absences.ended.count]).toEqual([0, 0])
})
