import { beforeEach, describe, expect, it } from "vitest"
import { UpgradeWarnings } from "./upgrade-warnings.ts"
import type { ServerWarning } from "../base/server-warning.ts"

let nowMs: number
let warned: ServerWarning[]

beforeEach(() => {
  nowMs = 1_000
  warned = []
})

function warnings(trustProxy = false): UpgradeWarnings {
  const clock = { now: () => nowMs }
  return new UpgradeWarnings({ path: "/ws", trustProxy, clock, onWarning: (warning) => warned.push(warning) })
}

const request = {
  path: "/ws",
  host: "game.example",
  origin: undefined,
  address: "198.51.100.1",
  offersProtocol: false,
  message: "offer hawser.1",
}

describe("door-1 refused origins", () => {
  it("are reported once each, 16 of them; further ones are counted and reported once a minute", () => {
    const tested = warnings()
    const refuse = (index: number): void =>
      tested.refused("origin", { ...request, origin: `https://evil-${index}.com` })
    for (let index = 0; index < 16; index += 1) refuse(index)
    for (let index = 0; index < 16; index += 1) refuse(index)
    expect(warned).toHaveLength(16)
    for (let index = 16; index < 1_000; index += 1) refuse(index)
    expect(warned).toHaveLength(17)
    nowMs += 59_999
    refuse(1)
    refuse(1_000)
    expect(warned).toHaveLength(17)
    nowMs += 1
    refuse(1_001)
    expect(warned).toHaveLength(18)
    expect(warned[17]?.message).toMatch(/: 985 more since/)
  })

  it("on this machine are reported with the option for development", () => {
    warnings().refused("origin", { ...request, origin: "http://localhost:5173" })
    expect(warned[0]?.message).toMatch(/allowLoopbackOrigins: true/)
    warnings().refused("origin", { ...request, origin: "http://evil.com" })
    expect(warned[1]?.message).not.toMatch(/allowLoopbackOrigins/)
  })

  it("are reported in a bounded line without control characters, for any request", () => {
    warnings().refused("origin", {
      ...request,
      origin: `\u001b[31m\n${"x".repeat(16_000)}`,
      host: "y".repeat(16_000),
    })
    expect(warned[0]?.message.length).toBeLessThan(700)
    // eslint-disable-next-line no-control-regex
    expect(warned[0]?.message).not.toMatch(/[\u0000-\u001f]/)
  })
})

describe("door-9 the first refusal of each other reason", () => {
  it.each([
    ["path", /"\/other" was refused with 404: this server's path is "\/ws"/],
    ["subprotocol", /^an upgrade that offered no subprotocol was refused with 400: offer hawser\.1\.$/],
    ["headers", /maxHeadersCount/],
    ["address_connections", /"198\.51\.100\.1" was refused with 429.*trustProxy/],
    ["logins_under_way", /unauthenticatedTotal/],
  ])("%s is reported once, with advice", (reason, hint) => {
    const tested = warnings()
    for (let again = 0; again < 3; again += 1) tested.refused(reason, { ...request, path: "/other" })
    expect(warned.map(({ kind }) => kind)).toEqual(["upgrade_refused"])
    expect(warned[0]?.message).toMatch(hint)
  })

  it("includes the first log-in of an address at connectionsPerAddress", () => {
    const tested = warnings()
    for (let again = 0; again < 3; again += 1) tested.addressFull("198.51.100.1")
    expect(warned.map(({ kind }) => kind)).toEqual(["login_refused"])
    expect(warned[0]?.message).toMatch(
      /"198\.51\.100\.1" was refused with too_many_connections.*connectionsPerAddress/,
    )
  })

  it("does not include an orderly shutdown", () => {
    warnings().refused("shutting_down", request)
    expect(warned).toEqual([])
  })
})

describe("door-9 a proxy", () => {
  it.each([
    [{ trustProxy: false, isThere: true }, ["proxy_unexpected"]],
    [{ trustProxy: false, isThere: false }, []],
    [{ trustProxy: true, isThere: true }, []],
    [{ trustProxy: true, isThere: false }, ["proxy_expected"]],
  ])("is reported once if the option does not match: %j", ({ trustProxy, isThere }, kinds) => {
    const tested = warnings(trustProxy)
    for (let again = 0; again < 3; again += 1) tested.proxied(isThere, isThere)
    expect(warned.map(({ kind }) => kind)).toEqual(kinds)
  })
})
