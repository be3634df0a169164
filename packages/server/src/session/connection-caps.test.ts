import { defaultServerLimits } from "@hawser/protocol"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConnectionCaps, addressKey, isLoopback } from "./connection-caps.ts"
import type { CapTicket } from "./connection-caps.ts"

const limits = {
  ...defaultServerLimits,
  connectionsPerAddress: 3,
  unauthenticatedPerAddress: 2,
  unauthenticatedTotal: 4,
}

describe("ConnectionCaps", () => {
  it("caps the unauthenticated of an address, then all of it", () => {
    const caps = new ConnectionCaps(limits)
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
    const caps = new ConnectionCaps(limits)
    for (const address of ["a", "b", "c", "d"]) caps.enter(address)
    expect(caps.check("e", false)).toBe("tooManyUnauthenticated")
    expect(caps.check("e", true)).toBe("tooManyUnauthenticated")
  })

  it("exempts an address from its own caps", () => {
    const caps = new ConnectionCaps(limits)
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
        const caps = new ConnectionCaps(limits)
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

describe("addressKey", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::9", "2001:db8:1:3::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["memory", "memory"],
  ])("counts %s as %s", (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  it("puts every host of a /64 under one key, and its neighbours under others", () => {
    const group = fc.nat(0xffff).map((number) => number.toString(16))
    const half = fc.tuple(group, group, group, group).map((groups) => groups.join(":"))
    fc.assert(
      fc.property(half, half, half, half, (...[network, other, one, two]) => {
        expect(addressKey(`${network}:${one}`)).toBe(addressKey(`${network}:${two}`))
        expect(addressKey(`${network}:${one}`) === addressKey(`${other}:${one}`)).toBe(network === other)
        expect(addressKey(`${network}::`)).toBe(addressKey(`${network}:${one}`))
      }),
      { numRuns: 500 },
    )
  })
})

describe("isLoopback", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["128.0.0.1", false],
    ["1.127.0.1", false],
    ["::ffff:10.0.0.1", false],
    ["::2", false],
    ["1270.0.0.1", false],
  ])("says of %s: %s", (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})
