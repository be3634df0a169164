// Servers that take turns on one listening socket, which their parent keeps: dials during a restart wait in the kernel.
import { createClient } from "@hawser/client"
import { unwatched } from "@hawser/protocol/testing"
import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer as createTcpServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { WebSocket } from "ws"
import { echoContract } from "./echo-server.ts"

const clientCount = 40

let folder: string
let holder: ChildProcess
let port: number

async function heard(pattern: RegExp): Promise<RegExpMatchArray> {
  for (;;) {
    const messages: unknown[] = await once(holder, "message")
    const found = String(messages[0]).match(pattern)
    if (found !== null) return found
  }
}

/** Starts the next server. Returns the number of sessions that it has restored. */
async function start(): Promise<number> {
  holder.send("start")
  const [, , sessions] = await heard(/^listening (\d+) (\d+)$/)
  return Number(sessions)
}

/** Opens a listening socket that this process does not serve: only the holder has it. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hawser-passed-"))
  const opener = createTcpServer()
  opener.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 })
  await once(opener, "listening")
  const address = opener.address()
  port = typeof address === "object" && address !== null ? address.port : 0
  const fd: unknown = Reflect.get(Object(Reflect.get(opener, "_handle")), "fd")
  if (typeof fd !== "number") throw new Error("no descriptor")
  holder = fork(join(import.meta.dirname, "socket-holder.ts"), [folder], {
    execArgv: ["--conditions=@hawser/source", "--import", "tsx"],
    stdio: ["ignore", "inherit", "inherit", fd, "ipc"],
  })
  await once(holder, "spawn")
  opener.close()
  await once(opener, "close")
})
afterEach(async () => {
  const exited = once(holder, "exit")
  holder.disconnect()
  await exited
  rmSync(folder, { recursive: true })
})

function createPlayer(token: string) {
  return createClient(echoContract, { url: `ws://127.0.0.1:${port}/ws`, token, webSocket: WebSocket })
}

it.each(["SIGKILL", "SIGTERM"] as const)(
  "no dial is refused while one process ends by %s and the next one starts",
  { timeout: 120_000 },
  async (signal) => {
    expect(await start()).toBe(0)
    const before = Array.from({ length: clientCount }, (_, index) => createPlayer(`before-${index}`))
    await Promise.all(before.map((client) => client.connect()))
    // Its handler keeps the shutdown waiting.
    const hanging = before[0]?.command("say", { text: "hang" }, { timeoutMs: 60_000 })
    await before[1]?.command("say", { text: "now" })
    const ended = heard(/^exited (.+)$/)
    const silent = signal === "SIGTERM" ? heard(/^closing$/) : ended
    holder.send(signal)
    await silent
    // No process accepts now; the ending one serves its clients for a while.
    const during = Array.from({ length: clientCount }, (_, index) => createPlayer(`during-${index}`))
    const replies = during.map((client) => client.command("say", { text: "new" }))
    for (const client of during) unwatched(client.connect())
    expect((await ended)[1]).toBe(signal === "SIGTERM" ? "0" : "null")
    await expect
      .poll(
        () =>
          before.filter(({ current }) => current.state === "connecting" || current.state === "reconnecting")
            .length,
      )
      .toBe(clientCount)
    expect(await start()).toBe(clientCount)
    await Promise.all([...replies, hanging])
    await Promise.all(before.map((client) => client.command("say", { text: "again" })))
    // A refused dial would be followed by another one.
    expect(before.map((client) => client.stats().dials)).toEqual(before.map(() => 2))
    expect(during.map((client) => client.stats().dials)).toEqual(during.map(() => 1))
    expect(before.map((client) => client.stats().sessionsResumed)).toEqual(before.map(() => 1))
    for (const client of [...before, ...during]) client.close()
  },
)
