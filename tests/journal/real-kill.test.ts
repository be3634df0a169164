// A real server process that is killed with SIGKILL, and one that is ended with SIGTERM, under a client that talks all the time.
import { createClient } from "@hawser/client"
import { createServer } from "@hawser/server"
import { fileJournal } from "@hawser/server/journal"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { echoContract } from "./echo-server.ts"

let folder: string
let child: ChildProcess | undefined

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hawser-lives-"))))
afterEach(() => {
  child?.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

/** Starts a process. Returns its port, and the number of sessions that it restored. */
async function start(port = 0): Promise<{ port: number; sessions: number }> {
  const program = join(import.meta.dirname, "echo-server.ts")
  const args = ["--conditions=@hawser/source", "--import", "tsx", program, folder, String(port)]
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  child = started
  const printed: unknown[] = await once(started.stdout, "data")
  const [, found, sessions] = String(printed[0]).trim().split(" ")
  return { port: Number(found), sessions: Number(sessions) }
}

async function end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
  const ending = child
  if (ending === undefined) throw new Error("no process")
  const exited = once(ending, "exit")
  ending.kill(signal)
  const exit: unknown[] = await exited
  const [code] = exit
  return typeof code === "number" ? code : null
}

describe("a session whose server process ends", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)(
    "by %s continues in the next one",
    { timeout: 120_000 },
    async (signal) => {
      const { port } = await start()
      const client = createClient(echoContract, {
        url: `ws://127.0.0.1:${port}/ws`,
        token: "ann",
        webSocket: WebSocket,
      })
      const events: string[] = []
      const received: string[] = []
      const published: string[] = []
      client.onSession(({ kind }) => events.push(kind))
      client.on("said", ({ text }, { topic }) => {
        if (topic === undefined) received.push(text)
      })
      const room = client.topic("room:a")
      room.on("said", ({ text }) => published.push(text))
      await room.join()
      const texts: string[] = []
      const replies: Promise<{ text: string }>[] = []
      for (let life = 0; life < 3; life += 1) {
        for (let count = 0; count < 200; count += 1) {
          const text = `${life}-${count}`
          texts.push(text)
          replies.push(client.command("say", { text }, { timeoutMs: 60_000 }))
          if (count % 10 === 9) await pause(5)
        }
        const code = await end(signal)
        if (signal === "SIGTERM") expect(code).toBe(0)
        const next = await start(port)
        expect(next.sessions).toBe(1)
        const resumed = (): number => events.filter((kind) => kind === "resumed").length
        await expect.poll(resumed, { timeout: 20_000 }).toBe(life + 1)
      }
      expect((await Promise.all(replies)).map(({ text }) => text)).toEqual(texts)
      await expect.poll(() => received.length, { timeout: 20_000 }).toBe(texts.length)
      await expect.poll(() => published.length, { timeout: 20_000 }).toBe(texts.length)
      expect(received).toEqual(texts)
      expect(published).toEqual(texts)
      expect(events.filter((kind) => kind === "reset")).toEqual([])
      client.close()
    },
  )
})

describe("trap-20 a second server on a folder that is in use", () => {
  it(
    "does not listen, closes, and leaves the journal of the first one alone",
    { timeout: 60_000 },
    async () => {
      const { port } = await start()
      // The first segment follows with the first turn.
      await expect.poll(() => readdirSync(folder)).toContain("00000001.journal")
      const before = readdirSync(folder)
      const second = createServer(echoContract, {
        authenticate: (token) => ({ id: token }),
        journal: fileJournal(folder, { waitMs: 100 }),
      })
      second.topicKind("room", {})
      second.command("say", ({ input }) => input)
      await expect(second.listen()).rejects.toThrow("is in use by")
      await second.close()
      expect(readdirSync(folder)).toEqual(before)
      await end("SIGKILL")
      await start(port)
    },
  )
})
