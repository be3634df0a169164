import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { expect, test } from "vitest"
import { clientAddress } from "./client-address.ts"

function requestFrom(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const socket = new Socket()
  Object.defineProperty(socket, "remoteAddress", { value: remoteAddress })
  const request = new IncomingMessage(socket)
  if (forwardedFor !== undefined) request.headers["x-forwarded-for"] = forwardedFor
  return request
}

test("door-3 counts every spelling of an address as one, and a /64 of IPv6 as one", () => {
  const proxied = (header: string) => clientAddress(requestFrom("10.0.0.1", header), true)
  for (const header of [
    "203.0.113.7",
    "203.0.113.7:1",
    "203.0.113.7:65535",
    "1.2.3.4, 203.0.113.7",
    " ::ffff:203.0.113.7 ",
  ])
    expect(proxied(header)).toEqual({ key: "203.0.113.7", isLocal: false })
  for (const header of [
    "2001:db8::1",
    "[2001:db8::2]:443",
    "2001:DB8:0:0:ffff:0:0:1",
    "2001:0db8::ffff:ffff:ffff:ffff",
  ])
    expect(proxied(header).key).toBe("2001:db8:0:0::/64")
  expect(clientAddress(requestFrom("2001:db8::77"), false).key).toBe("2001:db8:0:0::/64")
})

test("door-3 ignores the header without a trusted proxy, and a text that is no address", () => {
  expect(clientAddress(requestFrom("203.0.113.7", "10.0.0.9"), false).key).toBe("203.0.113.7")
  for (const header of ["anything", "", "unknown", "1.2.3.4, x", "203.0.113.7:99999999:1"])
    expect(clientAddress(requestFrom("10.0.0.1", header), true).key).toBe("10.0.0.1")
})

test("treats the loopback interface as this machine, unless a proxy is trusted", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    expect(clientAddress(requestFrom(address), false).isLocal).toBe(true)
    expect(clientAddress(requestFrom(address), true).isLocal).toBe(false)
  }
  expect(clientAddress(requestFrom("10.0.0.1"), false).isLocal).toBe(false)
})
