// No live connection may count as dead, at either end, on links that lose segments. A segment that is lost eight times
// in a row delays everything for a minute, which exceeds every deadline: at 20 % one of thirty seeds has one.
import { describe, expect, it } from "vitest"
import { live } from "./lossy-link.ts"

describe.each([
  ["5 %", 0.05, 6],
  ["20 %", 0.2, 6],
  ["20 %", 0.2, 7],
])("a link of 300 ± 100 ms that loses %s of its segments (%s, seed %i)", (_, lossShare, seed) => {
  it("surprise-C3 closes no idle and no active client in ten minutes", { timeout: 120_000 }, async () => {
    const outcome = await live({ lossShare, seed, clients: 60, minutes: 10 })
    expect(outcome).toMatchObject({ outages: 0, silent: 0, slow: 0 })
    expect(outcome.answered).toBeGreaterThan(0.99 * outcome.requests)
    expect(outcome.requests).toBeGreaterThan(8_000)
  })
})
