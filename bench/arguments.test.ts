import { describe, expect, it } from "vitest"
import { UnusableArguments, parseArguments } from "./arguments.ts"

describe("parseArguments", () => {
  it("runs all servers three times by default, and no scenario that runs only by name", () => {
    const asked = parseArguments([])
    expect(asked?.rounds).toBe(3)
    expect(asked?.servers.map(({ name }) => name)).toContain("socket.io-msgpack")
    expect(asked?.scenarios.map(({ name }) => name)).toContain("stalled-reader")
    expect(asked?.scenarios.map(({ name }) => name)).not.toContain("world-250")
  })

  it("runs once, and only what the goals need, with --quick", () => {
    const asked = parseArguments(["--quick"])
    expect(asked?.rounds).toBe(1)
    expect(asked?.servers.map(({ name }) => name)).not.toContain("socket.io-msgpack")
    expect(asked?.scenarios.map(({ name }) => name)).not.toContain("stalled-reader")
    expect(asked?.scenarios.map(({ name }) => name)).toContain("world-tick")
  })

  it("runs the named scenarios and servers", () => {
    const asked = parseArguments(["--only", "storm,world-250", "--servers", "ws", "--rounds", "5"])
    expect(asked?.scenarios.map(({ name }) => name)).toEqual(["storm", "world-250"])
    expect(asked?.servers.map(({ name }) => name)).toEqual(["ws"])
    expect(asked?.rounds).toBe(5)
  })

  it("measures the other checkout's Hawser directly after this one", () => {
    const asked = parseArguments(["--against", "/elsewhere", "--servers", "ws,hawser,colyseus"])
    expect(asked?.servers.map(({ name }) => name)).toEqual(["ws", "hawser", "hawser-old", "colyseus"])
    expect(asked?.servers.map(({ checkout }) => checkout)).toEqual([
      undefined,
      undefined,
      "/elsewhere",
      undefined,
    ])
    expect(parseArguments([])?.servers.map(({ name }) => name)).not.toContain("hawser-old")
  })

  it.each([
    ["--only", "nothing"],
    ["--servers", "nobody"],
    ["--rounds", "0"],
    ["--rounds", "1.5"],
    ["--against", "/elsewhere", "--servers", "ws"],
    ["--what"],
    ["stray"],
  ])("refuses %s %s", (...words) => {
    expect(() => parseArguments(words)).toThrow(UnusableArguments)
  })

  it("returns undefined for --help", () => {
    expect(parseArguments(["--help"])).toBeUndefined()
  })
})
