import { expect, it } from "vitest"
import { ControlFrames } from "./control-frames.ts"

it("abuse-A29 limits the frames of each connection separately, in each second", () => {
  let nowMs = 5_000
  const frames = new ControlFrames({ clock: { now: () => nowMs }, limits: { controlFramesPerSecond: 3 } })
  const [ann, bob] = [{}, {}]
  const taken = (connection: object): boolean[] =>
    Array.from({ length: 5 }, () => frames.violationOf(connection) === undefined)
  const expected = [true, true, true, false, true]
  expect(taken(ann)).toEqual(expected)
  expect(taken(bob)).toEqual(expected)
  nowMs += 999
  expect(taken(ann)).toEqual([true, true, true, true, true])
  nowMs += 1
  expect(taken(ann)).toEqual(expected)
  frames.forget(ann)
  expect(taken(ann)).toEqual(expected)
})
