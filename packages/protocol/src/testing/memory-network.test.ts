import { beforeEach, describe, expect, it } from "vitest"
import type { Accept, Connection, ConnectionEvents, DialEvents } from "../transport.ts"
import { outbound } from "../transport.ts"
import { createMemoryNetwork } from "./memory-network.ts"
import type { MemoryNetwork } from "./memory-network.ts"
import { SimulatedClock } from "./simulated-clock.ts"

const latencyMs = 10
const bytes = (...values: number[]) => outbound(Uint8Array.from(values))

let clock: SimulatedClock
let network: MemoryNetwork
let log: string[]
let accepted: Connection[]

beforeEach(() => {
  clock = new SimulatedClock()
  log = []
  accepted = []
  network = createMemoryNetwork({ clock, accept, latencyMs, address: "10.0.0.1" })
})

function eventsOf(end: string): ConnectionEvents & Pick<DialEvents, "open"> {
  const note = (text: string): void => void log.push(`${end} ${text}@${clock.now()}`)
  return {
    open: (protocol) => note(`open ${protocol}`),
    message: (content) => note(`message ${content.join(",")}`),
    text: () => note("text"),
    drained: () => note("drained"),
    pong: () => note("pong"),
    closed: (code, reason) => note(`closed ${code} ${reason}`.trim()),
  }
}

const accept: Accept = ({ connection, profile, address }) => {
  log.push(`accept ${profile} ${address}`)
  accepted.push(connection)
  return eventsOf("server")
}

async function open() {
  network.dial("memory:", ["hawser.1"], eventsOf("client"))
  await clock.advance(latencyMs)
  log.length = 0
  const [link] = network.links
  if (link === undefined) throw new Error("no link")
  return link
}

describe("createMemoryNetwork", () => {
  it("opens a socket after the latency, with the profile and the address", async () => {
    network.dial("memory:", ["hawser.1"], eventsOf("client"))
    await clock.advance(100)
    expect(log).toEqual(["accept hawser.1 10.0.0.1", "client open hawser.1@10"])
  })

  it("refuses dials while it does not listen", async () => {
    network.listening = false
    network.dial("memory:", ["hawser.1"], eventsOf("client"))
    await clock.advance(100)
    network.listening = true
    network.dial("memory:", [], eventsOf("other"))
    await clock.advance(100)
    expect([log, network.listening, network.links.length]).toEqual([
      ["client closed 1006@0", "accept 2.0 10.0.0.1", "other open @110"],
      true,
      2,
    ])
  })

  it("carries messages and texts in order, reports the drained buffer at both ends, and keeps the messages", async () => {
    const { client, server } = await open()
    client.send(bytes(1))
    client.sendText()
    client.send(bytes(2))
    server.send(bytes(3))
    await clock.advance(100)
    expect(log.filter((line) => line.startsWith("server"))).toEqual([
      "server drained@10",
      "server message 1@20",
      "server text@20",
      "server message 2@20",
    ])
    expect(log.filter((line) => line.startsWith("client"))).toEqual([
      "client drained@10",
      "client message 3@20",
    ])
    expect([client.sent, server.sent].map((sent) => sent.map((message) => [...message]))).toEqual([
      [[1], [2]],
      [[3]],
    ])
  })

  it("keeps the bytes of a stalled end in its buffer until the stall ends", async () => {
    const { server } = await open()
    server.stall(true)
    expect(server.send(bytes(1, 2, 3))).toBe(true)
    await clock.advance(1_000)
    expect([log, server.bufferedBytes]).toEqual([[], 7])
    server.stall(false)
    await clock.advance(latencyMs)
    expect([log, server.bufferedBytes]).toEqual([["server drained@1010", "client message 1,2,3@1020"], 0])
  })

  it("delivers the reset of a stalled end that is terminated, and not its buffered messages", async () => {
    const { server } = await open()
    server.stall(true)
    server.send(bytes(1))
    server.terminate()
    await clock.advance(100)
    expect(log).toEqual(["server closed 1006@10", "client closed 1006@20"])
  })

  it("refuses sends without an event after refuseSends", async () => {
    const { client } = await open()
    client.refuseSends()
    expect([client.send(bytes(1)), client.sent]).toEqual([false, []])
    await clock.advance(100)
    expect(log).toEqual([])
  })

  it("closes both ends at a cut: the client's at once", async () => {
    const { client, cut } = await open()
    client.send(bytes(1))
    cut()
    expect(log).toEqual(["client closed 1006@10"])
    await clock.advance(100)
    cut()
    expect(log).toEqual(["client closed 1006@10", "server closed 1006@10"])
  })

  it("drops bytes in a black hole, without an event at either end", async () => {
    const { client, server, blackHole } = await open()
    blackHole()
    client.send(bytes(1))
    server.send(bytes(2))
    server.terminate()
    await clock.advance(1_000)
    expect(log.filter((line) => !line.includes("drained"))).toEqual(["server closed 1006@10"])
  })

  it("closes with code and reason, and answers pings", async () => {
    const { client, server } = await open()
    server.ping()
    await clock.advance(100)
    client.close(3000, "done")
    await clock.advance(100)
    expect(log).toEqual(["server pong@30", "server closed 3000 done@120", "client closed 3000 done@130"])
    expect(accepted).toEqual([server])
  })
})
