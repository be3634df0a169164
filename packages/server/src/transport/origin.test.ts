import { describe, expect, it } from "vitest"
import { allowedOrigins, canonicalOrigin, isLoopbackHost, isLoopbackOrigin, isOfHost } from "./origin.ts"

describe("door-1 an origin", () => {
  it.each([
    ["https://game.example", "https://game.example"],
    ["HTTPS://Game.Example:443", "https://game.example"],
    ["http://game.example:80", "http://game.example"],
    ["http://game.example:8080", "http://game.example:8080"],
    ["http://[::1]:3000", "http://[::1]:3000"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["chrome-extension://ABCdef", "chrome-extension://abcdef"],
  ])("%s is %s", (text, canonical) => expect(canonicalOrigin(text)).toBe(canonical))

  it.each([
    "",
    "null",
    "game.example",
    "//game.example",
    "https://",
    "https://game.example/",
    "https://game.example/path",
    "https://game.example?x",
    "https://game.example#x",
    "https://user@game.example",
    "https://game.example\\.evil.com",
    "https://game.example evil.com",
    "https://game.example:99999",
    "javascript:alert(1)",
  ])("%j is not an origin", (text) => expect(canonicalOrigin(text)).toBeUndefined())

  it("has the host of the request by http and by https, each with its default port", () => {
    expect(isOfHost("https://game.example", "game.example:443")).toBe(true)
    expect(isOfHost("https://game.example", "game.example:80")).toBe(false)
    expect(isOfHost("http://game.example", "GAME.example")).toBe(true)
    expect(isOfHost("ftp://game.example", "game.example")).toBe(false)
    expect(isOfHost("null", "null")).toBe(false)
    expect(isOfHost("https://game.example", undefined)).toBe(false)
    expect(isOfHost("https://game.example", "game.example/path")).toBe(false)
    expect(isOfHost("https://game.example", "user@game.example")).toBe(false)
  })

  it("is on this machine by its name or its address, and not by a similar name", () => {
    const hosts = [
      "localhost",
      "LOCALHOST:80",
      "127.0.0.1:1",
      "127.255.1.2",
      "[::1]",
      "[::1]:8080",
      "[0:0:0:0:0:0:0:1]",
    ]
    for (const host of hosts) expect([host, isLoopbackHost(host)]).toEqual([host, true])
    for (const host of [
      "",
      "localhost.evil.com",
      "127.0.0.1.evil.com",
      "evil.com",
      "::1",
      "0.0.0.0",
      "[::2]",
      "128.0.0.1",
    ])
      expect([host, isLoopbackHost(host)]).toEqual([host, false])
    expect(isLoopbackOrigin("https://localhost:5173")).toBe(true)
    expect(isLoopbackOrigin("http://localhost.evil.com")).toBe(false)
    expect(isLoopbackOrigin("capacitor://localhost")).toBe(false)
    expect(isLoopbackOrigin("null")).toBe(false)
  })

  it("is named in the error if the option contains an invalid entry", () => {
    expect(allowedOrigins(["https://A.example", "null"])).toEqual(new Set(["https://a.example", "null"]))
    expect(() => allowedOrigins(["https://a.example/"])).toThrow(
      /origins contains "https:\/\/a\.example\/", which is not an origin/,
    )
    expect(() => allowedOrigins(["*"])).toThrow(TypeError)
  })
})
