import { defaultServerLimits } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConnectionCaps } from "./connection-caps.ts"
import type { CapTicket } from "./connection-caps.ts"

const limits = {
  ...defaultServerLimits,
  connectionsPerAddress: 3,
  unauthenticatedPerAddress: 2,
  unauthenticatedTotal: 4,
}

const clock = new SimulatedClock()

describe("ConnectionCaps", () => {
  it("lets an address dial only so often, whatever becomes of its sockets", async () => {
    const own = new SimulatedClock()
    const caps = new ConnectionCaps({ ...limits, dialsPerAddressPerSecond: 2, dialBurstPerAddress: 3 }, own)
    const dial = (address: string, exempt = false) => {
      const verdict = caps.check(address, exempt)
      if (verdict === "allowed") caps.enter(address).release()
      return verdict
    }
    expect([dial("a"), dial("a"), dial("a")]).toEqual(["allowed", "allowed", "allowed"])
    expect([dial("a"), dial("b"), dial("a", true)]).toEqual(["tooManyOfAddress", "allowed", "allowed"])
    await own.advance(500)
    expect([dial("a"), dial("a")]).toEqual(["allowed", "tooManyOfAddress"])
  })

  it("caps the unauthenticated of an address, then all of it", () => {
    const caps = new ConnectionCaps(limits, clock)
    const [first, second] = [caps.enter("a"), caps.enter("a")]
    expect(caps.check("a", false)).toBe("tooManyOfAddress")
    expect(caps.check("b", false)).toBe("allowed")
    first.authenticated()
    expect(caps.check("a", false)).toBe("allowed")
    const third = caps.enter("a")
    second.authenticated()
    third.authenticated()
    expect(caps.check("a", false)).toBe("tooManyOfAddress")
    first.release()
    expect(caps.check("a", false)).toBe("allowed")
  })

  it("caps the unauthenticated of all addresses, the exempt included", () => {
    const caps = new ConnectionCaps(limits, clock)
    for (const address of ["a", "b", "c", "d"]) caps.enter(address)
    expect(caps.check("e", false)).toBe("tooManyUnauthenticated")
    expect(caps.check("e", true)).toBe("tooManyUnauthenticated")
  })

  it("exempts an address from its own caps", () => {
    const caps = new ConnectionCaps(limits, clock)
    for (let count = 0; count < 10; count += 1) caps.enter("127.0.0.1").authenticated()
    expect(caps.check("127.0.0.1", false)).toBe("tooManyOfAddress")
    expect(caps.check("127.0.0.1", true)).toBe("allowed")
  })

  it("counts right whatever is called twice or late, and forgets what left", () => {
    const step = fc.record({
      what: fc.constantFrom("enter", "authenticated", "release"),
      which: fc.nat(9),
      address: fc.constantFrom("a", "b", "__proto__"),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const caps = new ConnectionCaps(limits, clock)
        const entered: { address: string; ticket: CapTicket; known: boolean; gone: boolean }[] = []
        for (const { what, which, address } of steps) {
          const one = entered[which]
          if (what === "enter")
            entered.push({ address, ticket: caps.enter(address), known: false, gone: false })
          else if (what === "authenticated" && one !== undefined) {
            one.ticket.authenticated()
            one.known = true
          } else if (one !== undefined) {
            one.ticket.release()
            one.gone = true
          }
          const here = entered.filter(({ gone }) => !gone)
          expect(caps.size).toBe(new Set(here.map((each) => each.address)).size)
          for (const asked of ["a", "b", "__proto__"]) {
            const own = here.filter((each) => each.address === asked)
            const isOver = own.length >= 3 || own.filter(({ known }) => !known).length >= 2
            const isTotalOver = here.filter(({ known }) => !known).length >= 4
            expect(caps.check(asked, false)).toBe(
              isTotalOver ? "tooManyUnauthenticated" : isOver ? "tooManyOfAddress" : "allowed",
            )
          }
        }
        for (const { ticket } of entered) ticket.release()
        expect([caps.size, caps.check("a", false)]).toEqual([0, "allowed"])
      }),
      { numRuns: 1000 },
    )
  })
})
