import { RateLimiter } from "@hawser/protocol/core"
import { expect, it } from "vitest"
import { CallBuckets } from "./call-buckets.ts"

const limit = { everyMs: 100, burst: 2 }

it("spends from the user's bucket of the call, shared by the user's sessions", () => {
  const limiter = new RateLimiter()
  const [one, other, stranger] = ["ann", "ann", "bob"].map((user) => new CallBuckets(limiter, user))
  expect([one?.take("walk", limit, 0), other?.take("walk", limit, 0), one?.take("walk", limit, 0)]).toEqual([
    0, 0, 100,
  ])
  expect([
    one?.take("jump", limit, 0),
    stranger?.take("walk", limit, 0),
    one?.take("walk", limit, 100),
  ]).toEqual([0, 0, 0])
})

it("holds its buckets until it is released, and none after that", () => {
  const limiter = new RateLimiter({ maxKeys: 2 })
  const buckets = new CallBuckets(limiter, "ann")
  buckets.take("walk", limit, 0)
  for (const user of ["b", "c", "d"]) limiter.take(user, limit, 1_000)
  buckets.release()
  expect(buckets.take("walk", limit, 0)).toBe(0)
  expect(buckets.take("walk", limit, 0)).toBe(100)
  for (const user of ["e", "f", "g"]) limiter.take(user, limit, 1_000_000)
  expect(buckets.take("walk", limit, 0)).toBe(0)
})
