// Five thousand slow sockets, in every state before a session, while a good client is served.
import { connect } from "node:net"
import type { Socket } from "node:net"
import { expect, it, onTestFinished } from "vitest"
import { connectionsReach, nextTurn, startServer, until, upgradeRequest } from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { describeOver } from "./transports.ts"

const links = 5_000
/** Parallel dials. */
const batch = 250

/** Bytes of a slow peer before it stops; the last kind continues byte by byte. */
const beginnings = [
  "",
  "GET /ws HTTP/1.1\r\nHost: a\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbody",
  "GET /ws HTTP/1.1\r\nHost: a\r\nX: ",
]

interface Crowd {
  readonly sockets: readonly Socket[]
  open: number
}

async function openCrowd(port: number): Promise<Crowd> {
  const sockets: Socket[] = []
  const crowd: Crowd = { sockets, open: 0 }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const open = (index: number): Promise<void> => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => {})
    socket.on("close", () => (crowd.open -= 1))
    socket.resume()
    crowd.open += 1
    sockets.push(socket)
    const begin = index % 5 === 4 ? upgradeRequest(port, []) : (beginnings[index % 5] ?? "")
    return new Promise((resolve) => {
      socket.once("close", resolve)
      socket.once("connect", () => {
        if (begin !== "") socket.write(begin)
        resolve()
      })
    })
  }
  for (let index = 0; index < links; index += batch)
    await Promise.all(Array.from({ length: batch }, (_, place) => open(index + place)))
  return crowd
}

/** Number of good clients, one after the other, until `isOver`. */
async function roundTrips(world: SocketServer, isOver: () => boolean): Promise<number> {
  const client = world.client({ token: "next" })
  await client.connect()
  let count = 0
  while (!isOver() || count < 50) {
    expect(await client.command("echo", { text: "on" })).toEqual({ text: "on" })
    count += 1
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return count
}

describeOver(["ws"], (transport) => {
  it(
    "abuse-A38 drops 5,000 slow peers, and serves a good client meanwhile",
    { timeout: 120_000 },
    async () => {
      const limits = { requestlessPerAddress: 10_000, authTimeoutMs: 5_000, unauthenticatedTotal: 10_000 }
      const world = await startServer(transport, { limits })
      let isOver = false
      const trips = roundTrips(world, () => isOver)
      const crowd = await openCrowd(world.port)
      const trickling = crowd.sockets.filter((_, index) => index % 5 === 3)
      await until(async () => {
        for (const socket of trickling) if (socket.writable) socket.write("x")
        await new Promise((resolve) => setTimeout(resolve, 250))
        return crowd.open === 0
      })
      isOver = true
      expect(await trips).toBeGreaterThanOrEqual(50)
      await connectionsReach(world, 1)
      await nextTurn()
      expect((await world.stats()).sessions).toBe(1)
    },
  )
})
