// The world's log with a full disk, with a reader that has stopped, and under violations by strangers.
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess, StdioOptions } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "libsql"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { connect as connectRaw, enter, newAccount } from "../conformance-2.0/player.ts"
import { expectSuccess } from "../conformance-2.0/reply.ts"
import { caseContext } from "./case-context.ts"
import { freePort } from "./free-port.ts"
import { programs, startWorld } from "./start-world.ts"

interface Odd {
  readonly child: ChildProcess
  readonly url: string
  readonly exit: Promise<number | null>
}

/** Starts a world whose output is `stdio`. It prints no address to the test, so its port is fixed. */
async function worldWith(stdio: StdioOptions): Promise<Odd> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "hawser-log-"))
  const env = { PATH: process.env["PATH"], HOST: "127.0.0.1", PORT: String(port), JWT_SECRET: "s".repeat(32) }
  const child = spawn(process.execPath, programs.source, { cwd: folder, env, stdio })
  const exit = once(child, "exit").then(() => child.exitCode)
  onTestFinished(async () => {
    child.kill("SIGKILL")
    await exit
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), {
    timeout: 30_000,
    interval: 100,
  })
  return { child, url, exit }
}

/** Returns the writing end of a full pipe without a reader. */
function fullPipe(): number {
  const folder = mkdtempSync(join(tmpdir(), "hawser-pipe-"))
  const path = join(folder, "pipe")
  execFileSync("mkfifo", [path])
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const pipe = openSync(path, constants.O_RDWR)
  onTestFinished(() => {
    closeSync(filler)
    closeSync(pipe)
    rmSync(folder, { recursive: true, force: true })
  })
  for (const size of [4_096, 1]) {
    try {
      for (;;) writeSync(filler, Buffer.alloc(size))
    } catch (error) {
      expect(error).toHaveProperty("code", "EAGAIN")
    }
  }
  return pipe
}

/** Registers, enters and talks. */
async function play(url: string): Promise<void> {
  const context = { url: `${url.replace("http", "ws")}/ws`, httpUrl: url, onEnd: () => {} }
  const { client } = await enter(context, await newAccount(context))
  expectSuccess(await client.request("cmd_chat_send", { message: "ahoy" }))
  await client.close()
}

/** Upgrades a connection and sends an invalid WebSocket frame. Resolves when the server has dropped the connection. */
async function breakTheRules(url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on("error", () => {}).resume()
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  )
  await once(socket, "data")
  // All reserved bits, no mask.
  socket.write(Buffer.from([0xff, 0x01, 0x00]))
  await new Promise((resolve) => socket.once("close", resolve))
}

async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return text
    .split("\n")
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)
}

describe("the world", { timeout: 60_000 }, () => {
  it("door-4 starts, plays and ends in order with 0 with a full disk behind its log", async () => {
    const full = openSync("/dev/full", "w")
    onTestFinished(() => closeSync(full))
    const { child, url, exit } = await worldWith(["ignore", full, full])
    await play(url)
    expect(await metricOf(url, "world_log_lines_lost_total")).toBeGreaterThan(0)
    child.kill("SIGTERM")
    expect(await exit).toBe(0)
  })

  it("door-4 starts, plays and ends in order with 0 with a reader of its log that has stopped", async () => {
    const pipe = fullPipe()
    const { child, url, exit } = await worldWith(["ignore", pipe, pipe])
    for (let stranger = 0; stranger < 100; stranger += 1) await breakTheRules(url)
    await play(url)
    child.kill("SIGTERM")
    expect(await exit).toBe(0)
  })

  it("door-4 counts violations before the log-in, and logs them in one short line a minute", async () => {
    const world = await startWorld()
    onTestFinished(() => world.remove())
    const from = world.output.length
    for (let batch = 0; batch < 10; batch += 1)
      await Promise.all(Array.from({ length: 20 }, () => breakTheRules(world.url)))
    await vi.waitFor(async () => expect(await metricOf(world.url, "world_peer_violations_total")).toBe(200))
    const lines = world.output.slice(from).trimEnd().split("\n")
    const broken = lines.filter((line) => line.includes("a peer broke the rules"))
    expect(broken).toHaveLength(1)
    expect(Buffer.byteLength(broken[0] ?? "")).toBeLessThan(256)
    expect(lines.join("\n")).not.toContain("stack")
  })

  it("logs refused log-ins with their cause, and faults of the connections with their stack", async () => {
    const world = await startWorld()
    onTestFinished(() => world.remove())
    const context = caseContext(world)
    const { token } = await newAccount(context)
    const logIn = async (sent: string): Promise<void> => {
      const client = await connectRaw(context)
      client.send({ type: "cmd_authenticate", payload: { token: sent } })
      await client.waitForClose("the close of a refused log-in")
    }
    await logIn("no token")
    const refused: unknown = JSON.parse(await world.waitForOutput(/^.*log-ins were refused.*$/m))
    expect(refused).toMatchObject({ level: 30, code: "auth_token_invalid", count: 1 })
    expect(refused).toHaveProperty("cause", expect.stringMatching(/./))

    const file = new Database(join(world.folder, "data/world.sqlite"), { timeout: 5_000 })
    onTestFinished(() => void file.close())
    file.exec("alter table players rename to gone")
    await logIn(token)
    const fault: unknown = JSON.parse(await world.waitForOutput(/^.*failed and was contained.*$/m))
    expect(fault).toHaveProperty("level", 40)
    expect(fault).toHaveProperty("err.message", expect.stringContaining("players"))
    expect(fault).toHaveProperty("err.stack", expect.stringContaining("    at "))
  })
})
