import { defaultServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { OutcomeMemory } from "./outcome-memory.ts"
import type { OutcomeMemoryLimits } from "./outcome-memory.ts"
import type { Outcome } from "./job.ts"

const kib = 1024
const failure = (message: string, details?: Readonly<Record<string, unknown>>): Outcome => ({
  ok: false,
  error: { code: "out_of_stock", message, category: "system", ...(details && { details }) },
})

function setUp(limits: Partial<OutcomeMemoryLimits>) {
  const memory = new OutcomeMemory({ ...defaultServerLimits, ...limits })
  /** Remembers about `size` KiB. */
  const remember = (userId: string, id: string, size: number): void =>
    memory.set({ userId, id, outcome: failure("x".repeat((size * kib) / 2)), untilMs: 100 })
  const known = (userId: string, ids: readonly string[]): string =>
    ids.filter((id) => memory.get(userId, id) !== undefined).join("")
  return { memory, remember, known }
}

const letters = ["a", "b", "c", "d", "e", "f"]

describe("OutcomeMemory", () => {
  it("door-10 evicts the oldest outcomes of one user beyond its bytes, and no other user's", () => {
    const { memory, remember, known } = setUp({ idempotencyUserMaxBytes: 35 * kib })
    remember("v", "a", 30)
    for (const id of letters) remember("u", id, 10)
    expect([known("u", letters), known("v", letters)]).toEqual(["def", "a"])
    expect(memory.bytes).toBeLessThan(65 * kib)
  })

  it("door-10 evicts the oldest outcomes of the largest users beyond the bytes of all", () => {
    const { memory, remember, known } = setUp({ idempotencyMaxBytes: 70 * kib })
    for (const id of ["a", "b", "c", "d"]) remember("large", id, 12)
    remember("small", "a", 2)
    for (const id of letters) remember("other", id, 5)
    expect(memory.bytes).toBeLessThanOrEqual(70 * kib)
    expect([known("large", letters), known("small", letters), known("other", letters)]).toEqual([
      "cd",
      "a",
      "abcdef",
    ])
  })

  it("door-10 stores no outcome that is larger than a bound", () => {
    const { memory, remember, known } = setUp({
      idempotencyUserMaxBytes: 20 * kib,
      idempotencyMaxBytes: 30 * kib,
    })
    remember("u", "a", 5)
    remember("u", "b", 21)
    expect(known("u", letters)).toBe("a")
    const circle: Record<string, unknown> = {}
    circle["again"] = circle
    const details = [{ text: "x".repeat(11 * kib) }, { bytes: new Uint8Array(21 * kib) }, circle]
    for (const [index, detail] of details.entries())
      memory.set({ userId: "u", id: `${index}`, outcome: failure("m", detail), untilMs: 100 })
    expect([memory.size, known("u", ["0", "1", "2"])]).toEqual([1, ""])
  })

  it("counts 0 once all outcomes have expired", () => {
    const { memory, remember } = setUp({})
    for (const user of letters) for (const id of letters) remember(user, id, 1)
    expect(memory.size).toBe(36)
    memory.expireUntil(99)
    expect(memory.size).toBe(36)
    memory.expireUntil(100)
    expect([memory.size, memory.bytes]).toEqual([0, 0])
  })
})
