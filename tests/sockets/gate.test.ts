// Output of real sockets that waits at the gate of a server's turn.
import { fork, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { findBun } from "./bun-transport.ts"
import { nextTurn, until } from "./harness.ts"

const program = join(import.meta.dirname, "gate-program.ts")
const bun = process.env["HAWSER_TEST_BUN"] === "off" ? undefined : findBun()

function startNode(): ChildProcess {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
  return fork(program, { execArgv: ["-C", "@hawser/source", "--import", loader] })
}

function startBun(): ChildProcess {
  return spawn(bun ?? "", ["--conditions", "@hawser/source", program], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "json",
  })
}

/** A connection between a client and the program, with all reports of both. */
async function open(start: () => ChildProcess) {
  const child = start()
  onTestFinished(() => void child.kill("SIGKILL"))
  const server: unknown[] = []
  child.on("message", (what) => server.push(what))
  await until(() => server.length > 0)
  const client: string[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${String(server.shift())}/ws`)
  onTestFinished(() => socket.terminate())
  socket.on("error", (error) => client.push(String(error)))
  socket.on("message", (bytes) => client.push(Buffer.isBuffer(bytes) ? bytes.toString() : "pieces"))
  socket.on("ping", () => client.push("ping"))
  socket.on("pong", (payload) => client.push(`pong ${payload.toString()}`))
  socket.on("close", (code) => client.push(`close ${code}`))
  await new Promise((resolve) => socket.once("open", resolve))
  return { server, client, socket, command: (name: string) => child.send(name) }
}

/** Asserts that the turn is at the gate: written bytes would be readable here after a turn. Pings and pongs do not wait. */
async function expectHeld({ server, client }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await until(() => server.includes("held"))
  for (let count = 0; count < 3; count += 1) await nextTurn()
  expect(client.filter((what) => !what.startsWith("p"))).toEqual([])
}

describe.each([
  ["ws", startNode],
  ["Bun", startBun],
])("over %s", (name, start) => {
  const lacksBun = name === "Bun" && bun === undefined

  it.skipIf(lacksBun)(
    "holds messages and the close frame, then sends them in order; pings leave at once",
    async () => {
      const world = await open(start)
      world.command("send")
      await expectHeld(world)
      world.command("close")
      world.command("send")
      world.command("open")
      await until(() => world.client.includes("close 4000") && world.server.includes("closed 4000"))
      expect(world.client).toEqual(["ping", "shared", "own", "close 4000"])
      expect(world.server.filter((what) => String(what).startsWith("error"))).toEqual([])
    },
  )

  it.skipIf(lacksBun)("notifies of the drain after the release", async () => {
    const world = await open(start)
    world.command("send")
    await expectHeld(world)
    expect(world.server).not.toContain("drained")
    world.command("open")
    await until(() => world.server.includes("drained") && world.client.includes("own"))
    expect(world.client).toEqual(["ping", "shared", "own"])
  })

  it.skipIf(lacksBun)("drops held output at once when the connection is terminated", async () => {
    const world = await open(start)
    world.command("send")
    await expectHeld(world)
    world.command("close")
    world.command("terminate")
    await until(() => world.client.includes("close 1006"))
    world.command("open")
    await until(() => world.server.includes("closed 1006"))
    expect(world.client).toEqual(["ping", "close 1006"])
  })

  it.skipIf(lacksBun)(
    "holds the answer to a message of the peer, and drops it when the peer has closed",
    async () => {
      const world = await open(start)
      world.socket.send("a".repeat(3), { binary: true })
      await expectHeld(world)
      world.socket.terminate()
      await until(() => world.server.some((what) => String(what).startsWith("closed")))
      world.command("open")
      await nextTurn()
      expect(world.client).toEqual(["close 1006"])
      expect(world.server.filter((what) => String(what).startsWith("error"))).toEqual([])
    },
  )
})

it("sends the library's close frames with the turn, after the messages before them, and its pongs at once", async () => {
  const world = await open(startNode)
  world.socket.send("a", { binary: true })
  world.socket.ping("b")
  world.socket.send("c", { binary: true })
  world.socket.close(4001)
  await expectHeld(world)
  await until(() => world.server.filter((what) => what === "message").length === 2)
  world.command("open")
  await until(() => world.client.includes("close 4001"))
  expect(world.client).toEqual(["pong b", "echo a", "echo c", "close 4001"])
})

it("sends no message behind the close frame with which the library answers a broken frame", async () => {
  const world = await open(startNode)
  world.command("send")
  await expectHeld(world)
  // A text message with bytes that are not UTF-8.
  world.socket.send(Buffer.of(0xff), { binary: false })
  await until(() => world.server.some((what) => String(what).startsWith("error")))
  world.command("send")
  world.command("open")
  await until(() => world.client.includes("close 1007"))
  expect(world.client).toEqual(["ping", "shared", "own", "close 1007"])
})
