import { expect, it } from "vitest"
import { LazyAbort } from "./lazy-abort.ts"

it("returns one signal with the current state, before and after the abort", () => {
  const [early, late] = [new LazyAbort(), new LazyAbort()]
  const heard: unknown[] = []
  early.signal.addEventListener("abort", () => heard.push(early.signal.reason))
  expect([early.aborted, early.signal.aborted, early.signal === early.signal]).toEqual([false, false, true])
  for (const abort of [early, late]) {
    abort.abort("first")
    abort.abort("second")
  }
  expect([early, late].map(({ aborted, reason }) => [aborted, reason])).toEqual([
    [true, "first"],
    [true, "first"],
  ])
  expect([late.signal.aborted, late.signal.reason, heard]).toEqual([true, "first", ["first"]])
})
