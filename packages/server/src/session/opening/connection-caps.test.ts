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
  it("abuse-A41 limits the dial rate of an address, for any fate of its sockets", async () => {
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

  it("surprise-C5 admits all resuming clients of an address at once, and as many newcomers as before", () => {
    const caps = new ConnectionCaps(defaultServerLimits, clock)
    for (let session = 0; session < 50; session += 1) caps.expect("office")
    // The server still holds the 50 connections that a reset has taken from the clients.
    for (let dead = 0; dead < 50; dead += 1) caps.enter("office").authenticated()
    const returning = Array.from({ length: 50 }, () => {
      expect(caps.check("office", false)).toBe("allowed")
      return caps.enter("office", true)
    })
    for (let newcomer = 0; newcomer < 14; newcomer += 1) {
      expect(caps.check("office", false)).toBe("allowed")
      caps.enter("office")
    }
    // 64 connections beside the 50 that return.
    expect([caps.check("office", false), caps.check("elsewhere", false)]).toEqual([
      "tooManyOfAddress",
      "allowed",
    ])
    for (const ticket of returning) ticket.authenticated()
    expect(returning.every(({ isOver }) => isOver)).toBe(true)
  })

  it("surprise-C5 gives a newcomer flood no more than the reserved slots, which are bounded", () => {
    const caps = new ConnectionCaps(limits, clock)
    const enterAll = (address: string): number => {
      let entered = 0
      for (; caps.check(address, false) === "allowed"; entered += 1) caps.enter(address)
      return entered
    }
    expect(enterAll("a")).toBe(2)
    caps.expect("b")
    expect(enterAll("b")).toBe(3)
    // The newcomers of both addresses reach the total. Now only addresses with sessions are admitted.
    expect([caps.check("c", false), caps.check("c", true)]).toEqual([
      "tooManyUnauthenticated",
      "tooManyUnauthenticated",
    ])
    for (let session = 0; session < 100; session += 1) caps.expect("c")
    expect(enterAll("c")).toBe(3)
    expect(caps.check("c", true)).toBe("tooManyUnauthenticated")
  })

  it("surprise-C5 lets an address dial by the number of its sessions", async () => {
    const own = new SimulatedClock()
    const caps = new ConnectionCaps({ ...limits, dialsPerAddressPerSecond: 9.6, dialBurstPerAddress: 1 }, own)
    const dials = (): number => {
      let count = 0
      while (caps.check("a", false) === "allowed") count += 1
      return count
    }
    expect(dials()).toBe(1)
    caps.expect("a")
    caps.expect("a")
    await own.advance(60_000)
    expect(dials()).toBe(7)
    // Ten a second: 9.6 of the address, and 0.2 of each client.
    await own.advance(499)
    expect(dials()).toBe(4)
    await own.advance(1)
    expect(dials()).toBe(1)
    caps.forget("a")
    caps.forget("a")
    await own.advance(60_000)
    expect(dials()).toBe(1)
  })

  it("counts right with repeated and late calls, and removes unused addresses", () => {
    const step = fc.record({
      what: fc.constantFrom("enter", "authenticated", "release", "expect", "forget"),
      which: fc.nat(9),
      address: fc.constantFrom("a", "b", "__proto__"),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const caps = new ConnectionCaps(limits, clock)
        const entered: { address: string; ticket: CapTicket; known: boolean; gone: boolean }[] = []
        const sessions: string[] = []
        for (const { what, which, address } of steps) {
          const one = entered[which]
          if (what === "enter")
            entered.push({ address, ticket: caps.enter(address), known: false, gone: false })
          else if (what === "expect") {
            sessions.push(address)
            caps.expect(address)
          } else if (what === "forget") {
            const [ended] = sessions.splice(which, 1)
            if (ended !== undefined) caps.forget(ended)
          } else if (what === "authenticated" && one !== undefined) {
            one.ticket.authenticated()
            one.known = true
          } else if (one !== undefined) {
            one.ticket.release()
            one.gone = true
          }
          const here = entered.filter(({ gone }) => !gone)
          expect(caps.size).toBe(new Set([...here.map((each) => each.address), ...sessions]).size)
          const addresses = ["a", "b", "__proto__"]
          const placesOf = (asked: string): number =>
            Math.min(3, sessions.filter((each) => each === asked).length)
          const unknownOf = (asked: string): number =>
            here.filter((each) => each.address === asked && !each.known).length
          const newcomersOf = (asked: string): number => Math.max(0, unknownOf(asked) - placesOf(asked))
          const newcomers = addresses.reduce((sum, each) => sum + newcomersOf(each), 0)
          for (const asked of addresses) {
            const own = here.filter((each) => each.address === asked)
            const isOver = own.length >= 3 + placesOf(asked) || newcomersOf(asked) >= 2
            const isTotalOver = newcomers >= 4 && unknownOf(asked) >= placesOf(asked)
            for (const { ticket } of own)
              expect(ticket.isOver).toBe(own.filter(({ known }) => known).length > 3)
            expect(caps.check(asked, false)).toBe(
              isTotalOver ? "tooManyUnauthenticated" : isOver ? "tooManyOfAddress" : "allowed",
            )
          }
        }
        for (const { ticket } of entered) ticket.release()
        for (const address of sessions) caps.forget(address)
        expect([caps.size, caps.check("a", false)]).toEqual([0, "allowed"])
      }),
      { numRuns: 1000 },
    )
  })
})
