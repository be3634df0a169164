// Start of the world's process by its environment: it serves, or it prints one line with the reason why not.
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { enter, newAccount } from "../conformance-2.0/player.ts"
import { caseContext } from "./case-context.ts"
import { WorldProcess, startWorld } from "./start-world.ts"
import type { Environment, WorldProcessOptions } from "./start-world.ts"

async function open(options: WorldProcessOptions = {}): Promise<WorldProcess> {
  const world = await startWorld(options)
  onTestFinished(() => world.remove())
  return world
}

/** Returns the exit code and the lines of a process that ends by itself. */
async function refusal(env: Environment): Promise<{ code: number | null; lines: readonly string[] }> {
  const world = new WorldProcess({ env })
  onTestFinished(() => world.remove())
  const { code, stderr } = await world.run()
  expect(world.output).toBe(stderr)
  return { code, lines: stderr.trimEnd().split("\n") }
}

// Other faults of variables are tested in apps/world/src/server/config/config.test.ts.
const refusals: readonly (readonly [what: string, env: Environment, says: RegExp])[] = [
  ["a port that is no number", { PORT: "eighty" }, /^PORT is "eighty"; set a whole number/],
  [
    "a host of another machine",
    { HOST: "203.0.113.1" },
    /^PORT is 0 and HOST 203\.0\.113\.1, where nothing can/,
  ],
  ["production without a secret", { NODE_ENV: "production", JWT_SECRET: "" }, /^JWT_SECRET is not set/],
  ["a database of another kind", { DATABASE_URL: "postgres://db/world" }, /^DATABASE_URL .*only SQLite/],
  // A file instead of a folder: no user may write through it.
  [
    "a database that cannot be made",
    { DATABASE_URL: "file:/dev/null/world.sqlite" },
    /^DATABASE_URL is file:\/dev\/null\/world\.sqlite, which cannot be opened \(.+\)/,
  ],
]

describe("the world's process", { timeout: 60_000 }, () => {
  it.for(refusals)("refuses %s in one line that names the variable", async ([, env, says]) => {
    expect(await refusal(env)).toEqual({ code: 1, lines: [expect.stringMatching(says)] })
  })

  it("refuses a port that is taken in one line that names it", async () => {
    const taken = createServer()
    onTestFinished(() => void taken.close())
    await once(taken.listen(0, "127.0.0.1"), "listening")
    const port = portOf(taken.address())
    const lines = [
      expect.stringMatching(new RegExp(`^PORT is ${port} and HOST 127.0.0.1, where.*EADDRINUSE`)),
    ]
    expect(await refusal({ PORT: String(port) })).toEqual({ code: 1, lines })
  })

  it("names every faulty variable in a separate line", async () => {
    const { code, lines } = await refusal({ PORT: "x", LOG_LEVEL: "loud", JWT_SECRET: "short" })
    expect(code).toBe(1)
    expect(new Set(lines.map((line) => line.split(" ", 1)[0]))).toEqual(
      new Set(["JWT_SECRET", "LOG_LEVEL", "PORT"]),
    )
  })

  it("answers 200 to /healthz from source and from its compiled files", async () => {
    const programs = ["source", "compiled"] as const
    for (const world of await Promise.all(programs.map((program) => open({ program })))) {
      const response = await fetch(`${world.url}/healthz`)
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual({ status: "ok" })
    }
  })

  it("keeps the created secret in its data folder, so that tokens survive a restart", async () => {
    const world = await open({ env: { JWT_SECRET: "" } })
    const account = await newAccount(caseContext(world))
    const secret = readFileSync(join(world.folder, "data/jwt-secret"), "utf8")
    await world.stop()
    await world.start()
    expect(readFileSync(join(world.folder, "data/jwt-secret"), "utf8")).toBe(secret)
    await enter(caseContext(world), account)
    expect(world.output).not.toContain(secret)
  })

  it("keeps its database where DATABASE_URL says, and its journal where JOURNAL says", async () => {
    const env = { DATABASE_URL: "file:elsewhere/players.sqlite", JOURNAL: "./elsewhere/journal" }
    const world = await open({ env })
    expect(existsSync(join(world.folder, "elsewhere/players.sqlite"))).toBe(true)
    expect(existsSync(join(world.folder, "elsewhere/journal/resume-key"))).toBe(true)
    expect(existsSync(join(world.folder, "data"))).toBe(false)
  })
})

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("not a TCP port")
  return address.port
}
