import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { addressKey, forwardedAddress, isLoopback, peerAddress } from "./peer-address.ts"

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
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["64:ff9b::203.0.113.7", "64:ff9b:0:0::/64"],
    ["::1:2:3:4:5:203.0.113.7", "0:1:2:3::/64"],
    ["::203.0.113.7", "0:0:0:0::/64"],
    ["memory", "memory"],
    ["", ""],
  ])("counts %s as %s", (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  it("gives all hosts of a /64 one key, and other networks other keys", () => {
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
    ["127.0.0.1.evil.com", false],
    ["127.evil.com", false],
    ["localhost", false],
  ])("returns for %s: %s", (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})

describe("forwardedAddress", () => {
  it.each([
    ["198.51.100.1", "198.51.100.1"],
    ["198.51.100.1:5678", "198.51.100.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:80", "2001:db8::1"],
    ["::ffff:198.51.100.1", "::ffff:198.51.100.1"],
    ["203.0.113.1, 198.51.100.1", "198.51.100.1"],
    ["203.0.113.1,198.51.100.1:5678 ", "198.51.100.1"],
    ["junk, [::1]:80", "::1"],
    ["", undefined],
    [" ", undefined],
    ["203.0.113.1,", undefined],
    ["203.0.113.1, ", undefined],
    ["203.0.113.1, unknown", undefined],
    ["203.0.113.1, _hidden", undefined],
    ["203.0.113.1, 198.51.100", undefined],
    ["203.0.113.1, 198.51.100.256", undefined],
    ["203.0.113.1, 198.51.100.1:", undefined],
    ["203.0.113.1, 198.51.100.1:http", undefined],
    ["203.0.113.1, [198.51.100.1]:80", undefined],
    ["203.0.113.1, [2001:db8::1", undefined],
    ["203.0.113.1, 2001:db8::1]:80", undefined],
    ["203.0.113.1, []:80", undefined],
    ["203.0.113.1, 1:2:3:4:5:6:7:8:80", undefined],
  ])("returns for %j: %s", (header, address) => {
    expect(forwardedAddress(header)).toBe(address)
  })

  it("returns only addresses for any text, and never an earlier entry", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (earlier, last) => {
        fc.pre(!last.includes(","))
        expect(forwardedAddress(`${earlier},${last}`)).toBe(forwardedAddress(last))
      }),
    )
  })
})

describe("peerAddress", () => {
  it.each([
    [false, "198.51.100.1", "10.0.0.1"],
    [true, "198.51.100.1", "198.51.100.1"],
    [true, undefined, "10.0.0.1"],
    [true, "", "10.0.0.1"],
    [true, "198.51.100.1, junk", "10.0.0.1"],
  ])("with trustProxy %s and the header %j is %s", (trustProxy, forwarded, address) => {
    expect(peerAddress({ remoteAddress: "10.0.0.1", forwardedFor: forwarded }, trustProxy)).toBe(address)
  })
})
