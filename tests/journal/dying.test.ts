// Real server processes that end by their own handlers.
import { createClient } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { dyingContract } from "./dying-server.ts"

let folder: string
let child: ChildProcess | undefined

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hawser-dying-"))))
afterEach(() => {
  child?.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

interface Started {
  readonly port: number
  readonly requestsSetAside: number
  /** Resolves with the exit code and the signal. */
  readonly ended: Promise<unknown[]>
}

async function start(port = 0): Promise<Started> {
  const program = join(import.meta.dirname, "dying-server.ts")
  const args = ["--conditions=@hawser/source", "--import", "tsx", program, folder, String(port)]
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] })
  child = started
  const ended = once(started, "exit")
  const printed: unknown[] = await once(started.stdout, "data")
  const [, found, requestsSetAside] = String(printed[0]).trim().split(" ")
  return { port: Number(found), requestsSetAside: Number(requestsSetAside), ended }
}

function clientOf(port: number) {
  return createClient(dyingContract, { url: `ws://127.0.0.1:${port}/ws`, token: "ann", webSocket: WebSocket })
}

describe("trap-23 a handler that kills its process each time", () => {
  it.each([["at once", 0]])(
    "%s has three processes; the fourth one lives, and goes on with the session",
    { timeout: 120_000 },
    async (_, afterMs) => {
      const first = await start()
      const client = clientOf(first.port)
      const resets: unknown[] = []
      client.onSession(({ kind }) => {
        if (kind === "reset") resets.push(kind)
      })
      const slow = { timeoutMs: 100_000 }
      const poisoned = client.command("kill", { afterMs }, slow).catch((error: unknown) => error)
      const fine = client.command("say", "fine", slow)
      let life = first
      for (let count = 1; count <= 3; count += 1) {
        expect(life.requestsSetAside).toBe(0)
        expect(await life.ended).toEqual([null, "SIGKILL"])
        life = await start(first.port)
      }
      expect(life.requestsSetAside).toBe(1)
      const error = await poisoned
      expect(HawserError.is(error) && error.code).toBe("sys_internal_error")
      expect(await fine).toBe("fine")
      expect(await client.command("say", "next")).toBe("next")
      expect(resets).toEqual([])
      client.close()
    },
  )
})

describe("an uncaught exception", () => {
  it.each([
    ["that Node handles", false, 1],
    ["whose listener exits", true, 7],
  ])(
    "%s discards the open turn: nothing of it was sent, or is in the journal",
    { timeout: 60_000 },
    async (_, exits, code) => {
      const first = await start()
      const client = clientOf(first.port)
      const said: string[] = []
      client.on("said", (text) => said.push(text))
      expect(await client.command("say", "hello")).toBe("hello")
      const reply = client.command("fail", { exits }, { timeoutMs: 60_000 })
      expect(await first.ended).toEqual([code, null])
      expect(said).toEqual([])
      await start(first.port)
      expect(await reply).toBe("done")
      expect(said).toEqual(["again"])
      client.close()
    },
  )
})
