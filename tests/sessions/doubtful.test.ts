// The status `doubtful`: an answer is due, and no message has arrived for a second or two round trips; or the browser reports
// that it has no network.
import type { ClientStatus, WakeMoment } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { createWorld, epochMs, openClient, watchStatus } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"
import { LinksWorld } from "../links/harness.ts"

const world = (): World => createWorld({ profile: "hawser.1" })
const wallClockOf = (here: World) => ({ wallClockMs: () => epochMs + here.clock.now() })
const stateOf = ({ state }: ClientStatus): string => state

/** Stops the network: messages vanish, and sockets stay open. */
function silence(here: World): void {
  for (const link of here.network.links) link.blackHole()
}

describe("a connection that is dead and still open", () => {
  it("is doubtful a second after a message without an answer, then lost", async () => {
    const here = world()
    const client = await openClient(here, wallClockOf(here))
    const statuses = watchStatus(client)
    await here.clock.advance(3_000)
    const heardAtMs = epochMs
    silence(here)
    await here.clock.advance(5_000)
    expect(statuses).toEqual([])
    client.command("echo", { text: "a" }).catch(() => {})
    await here.clock.advance(900)
    expect(statuses).toEqual([])
    await here.clock.advance(300)
    expect(statuses).toEqual([{ state: "doubtful", heardAtMs }])
    await here.clock.advance(20_000)
    expect(statuses.map(stateOf).slice(0, 4)).toEqual(["doubtful", "reconnecting", "reconnecting", "open"])
  })

  it("is doubtful after a ping without an answer", async () => {
    const here = world()
    const client = await openClient(here)
    const statuses = watchStatus(client)
    silence(here)
    client.ping().catch(() => {})
    await here.clock.advance(1_100)
    expect(statuses.map(stateOf)).toEqual(["doubtful"])
    client.close()
    expect([statuses.map(stateOf), client.stats().timers]).toEqual([["doubtful", "closed"], 0])
  })

  it("is doubtful after two measured round trips, if these are longer than a second", async () => {
    const here = createWorld({ profile: "hawser.1", latencyMs: 600 })
    const client = here.client()
    client.connect().catch(() => {})
    await here.clock.advance(5_000)
    const measured = client.ping()
    await here.clock.advance(2_000)
    expect(await measured).toBe(1_200)
    const statuses = watchStatus(client)
    silence(here)
    client.ping().catch(() => {})
    await here.clock.advance(2_300)
    expect(statuses).toEqual([])
    await here.clock.advance(300)
    expect(statuses.map(stateOf)).toEqual(["doubtful"])
  })

  it("takes requests, and connect() resolves", async () => {
    const here = world()
    const client = await openClient(here)
    silence(here)
    client.ping().catch(() => {})
    await here.clock.advance(1_100)
    expect(client.current.state).toBe("doubtful")
    await client.connect()
    const outcome = client.command("echo", { text: "a" }, { timeoutMs: 60_000 })
    await here.clock.advance(60_000)
    expect(await outcome).toEqual({ text: "a" })
  })
})

describe("a connection without a due answer", () => {
  it("stays open in any silence that the heartbeat allows", async () => {
    const here = world()
    const client = await openClient(here)
    await here.clock.advance(500)
    const statuses = watchStatus(client)
    await here.clock.advance(25_000)
    expect(statuses).toEqual([])
  })

  it("stays open while a handler takes long: one PING is answered", async () => {
    const here = world()
    const client = await openClient(here)
    const statuses = watchStatus(client)
    const slow = client.command("slow", { ms: 9_000 })
    await here.clock.advance(9_500)
    expect(await slow).toEqual({ ms: 9_000 })
    expect(statuses).toEqual([])
  })
})

describe("a browser without a network", () => {
  it("makes the connection doubtful at once; a message makes it open", async () => {
    const here = world()
    let report = (_moment?: WakeMoment): void => {}
    const client = await openClient(here, {
      wakeSource: (onWake) => {
        report = onWake
        return () => {}
      },
    })
    const statuses = watchStatus(client)
    report("offline")
    expect(statuses.map(stateOf)).toEqual(["doubtful"])
    await here.clock.settle()
    expect(statuses.map(stateOf)).toEqual(["doubtful", "open"])
  })
})

describe("a healthy slow link", () => {
  it("with 2 s of latency never becomes doubtful", async () => {
    const links = new LinksWorld({ players: 3, walkers: 5, bitsPerSecond: 64_000, latencyMs: 2_000 })
    const seen = links.players.map(({ client }) => {
      const states: string[] = []
      client.onStatus(({ state }) => states.push(state))
      return states
    })
    await links.run(60_000)
    expect(links.figures.roundTripsMs.length).toBeGreaterThan(50)
    expect(seen).toEqual([["open"], ["open"], ["open"]])
  })

  it("that stalls for 3 s becomes doubtful once, and open again", async () => {
    const links = new LinksWorld({ players: 1, walkers: 5, bitsPerSecond: 640_000, latencyMs: 100 })
    const states: string[] = []
    links.players[0]?.client.onStatus(({ state }) => states.push(state))
    const pipes = () => [...links.network.sockets].map((socket) => socket.pipeFrom("server"))
    await links.run(10_000)
    for (const pipe of pipes()) pipe.stall(true)
    await links.run(3_000)
    for (const pipe of pipes()) pipe.stall(false)
    await links.run(10_000)
    expect(states).toEqual(["open", "doubtful", "open"])
  })
})
