// `npm run kill` with fewer clients: a server that is killed 12 times, and a few times in each other way. Most of the time passes
// in waiting, so that the ways run at the same time.
import { describe, expect, it } from "vitest"
import { findBun } from "../sockets/bun-transport.ts"
import { canMount } from "./disk.ts"
import { runKills } from "./run-kills.ts"
import type { KillOptions } from "./run-kills.ts"

const timeoutMs = 240_000
const isCi = process.env["CI"] !== undefined

async function kills(chosen: Partial<KillOptions>) {
  const result = await runKills({
    times: 2,
    clients: 20,
    death: "sigkill",
    mode: "kill",
    runtime: "node",
    seed: 1,
    onProgress: () => {},
    ...chosen,
  })
  expect(result.violations.map(({ rule, text }) => `${rule}: ${text}`)).toEqual([])
  expect(result.requests).toBeGreaterThan(50)
  expect(result.outagesMs.length).toBeGreaterThan(0)
  return result
}

describe.concurrent("a server that dies under clients that talk", { timeout: timeoutMs }, () => {
  it("loses, repeats and reorders nothing in 12 kills by SIGKILL", async () => {
    const { errors, exits, early } = await kills({ times: 12, clients: 40 })
    expect(errors).toEqual([])
    expect(exits).toEqual({ SIGKILL: 12 + early })
  })

  it("nor in mode power", async () => {
    expect((await kills({ mode: "power" })).errors).toEqual([])
  })

  it("nor when its memory ends", async () => {
    const { errors, exits } = await kills({ death: "memory", times: 2 })
    expect(errors).toEqual([])
    expect(exits["SIGABRT"]).toBe(2)
  })

  it("nor when it is ended by SIGTERM, with code 0", async () => {
    const { errors, exits } = await kills({ death: "term" })
    expect(errors).toEqual([])
    expect(exits["0"]).toBe(2)
  })

  it.skipIf(!canMount())("nor when its disk is full, and then has space again or not", async () => {
    const { errors } = await kills({ death: "disk", times: 3 })
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toContain("output is held")
  })

  it.skipIf(findBun() === undefined && !isCi)("nor on Bun", async () => {
    expect((await kills({ runtime: "bun" })).errors).toEqual([])
  })
})
