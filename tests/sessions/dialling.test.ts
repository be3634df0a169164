// Times and number of a client's dials: both real ends on a simulated clock. The rules of the machine have separate
// tests.
import type { ClientStatus } from "@hawser/client"
import { fixed } from "@hawser/client"
import { HawserError, defaultClientLimits } from "@hawser/protocol"
import type { Connection, Dial } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { boundlessDials, connect, createWorld, openClient, watchStatus } from "../faults/harness.ts"
import { scriptedServer } from "../faults/scripted-server.ts"

/** The application's own dial, the burst, and one per 5 s. */
const dialsWithin = (ms: number): number => 1 + 3 + ms / 5_000

function freshTokens() {
  const tokens = { count: 0, next: (): string => `ann ${(tokens.count += 1)}` }
  return tokens
}

describe("a server that sends its clients away at once", () => {
  it.each(["auth_token_expired", "auth_token_invalid", "session_ended"] as const)(
    "surprise-A2 meets a few dials a minute when each session ends with %s, and as few tokens",
    async (code) => {
      const world = createWorld({ profile: "hawser.1" })
      world.server.onSession(({ session }) => session.end(code))
      const tokens = freshTokens()
      const client = world.client({ token: tokens.next, reconnect: fixed({ baseMs: 0 }) })
      client.connect().catch(() => {})
      await world.clock.advance(60_000)
      expect(world.network.links.length).toBeGreaterThan(3)
      expect(world.network.links.length).toBeLessThanOrEqual(dialsWithin(60_000))
      expect(tokens.count).toBeLessThanOrEqual(dialsWithin(60_000))
      client.close()
    },
  )

  it("surprise-A2 shows how long the budget delays the next dial", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = world.client({ reconnect: fixed({ baseMs: 0 }) })
    const delays: number[] = []
    client.onStatus((status) => {
      if (status.state === "reconnecting" && status.waiting) delays.push(status.delayMs)
    })
    world.network.listening = false
    client.connect().catch(() => {})
    await world.clock.advance(12_000)
    expect(delays).toEqual([0, 0, 0, 5_000, 5_000, 5_000])
    client.close()
  })

  it("surprise-A2 gets one renewal at a time, within the budget, however often it sends AUTHREQ", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const server = scriptedServer("hawser.1")
    const tokens = freshTokens()
    const client = world.client({ dial: server.dial, token: async () => tokens.next() })
    client.connect().catch(() => {})
    await world.clock.settle()
    server.open()
    server.welcome()
    for (let asked = 0; asked < 5_000; asked += 1) {
      server.send({ kind: "authRequest", expiresInMs: 1_000 })
      if (asked % 100 === 0) await world.clock.settle()
    }
    expect(tokens.count).toBe(1 + 3)
    await world.clock.advance(5_000)
    expect(tokens.count).toBe(1 + 3 + 1)
    client.close()
  })
})

describe("an outage after a resume", () => {
  it("surprise-A3 begins at attempt 1 and lasts no longer than the jitter, cut after cut", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const outages: number[] = []
    client.onSession((event) => {
      if (event.kind === "resumed") outages.push(event.outageMs)
    })
    const statuses = watchStatus(client)
    for (let cuts = 0; cuts < 20; cuts += 1) {
      await world.clock.advance(5_000)
      world.network.links.at(-1)?.cut()
    }
    await world.clock.advance(5_000)
    expect(outages).toHaveLength(20)
    expect(Math.max(...outages)).toBeLessThanOrEqual(250)
    const attempts = statuses.flatMap((status) => (status.state === "reconnecting" ? status.attempt : []))
    expect(new Set(attempts)).toEqual(new Set([1]))
  })

  it("surprise-A3 pauses for 10 s at most in an outage of any length", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world, { random: () => 0.999 })
    const delays: number[] = []
    client.onStatus((status) => {
      if (status.state === "reconnecting") delays.push(status.delayMs)
    })
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(150_000)
    expect(delays.length).toBeGreaterThan(10)
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000)
    client.close()
  })

  it("surprise-A3 ends at once with connect(), and with wake() as long as the budget lasts", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world, {
      reconnect: fixed({ baseMs: 60_000, maxMs: 60_000, jitter: "none" }),
    })
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    for (let wakes = 0; wakes < 10; wakes += 1) {
      client.wake()
      await world.clock.settle()
    }
    expect(world.network.links).toHaveLength(1 + 3)
    expect(client.current).toMatchObject({ state: "reconnecting", waiting: true, delayMs: 5_000 })
    for (let calls = 0; calls < 5; calls += 1) {
      client.connect().catch(() => {})
      await world.clock.settle()
    }
    expect(world.network.links).toHaveLength(1 + 3 + 5)
    world.network.listening = true
    await connect(world, client)
    expect(client.current.state).toBe("open")
  })
})

/** A network with `openMs` per socket and `latencyMs` per message. */
function slowly(dial: Dial, schedule: (ms: number, work: () => void) => void, openMs: number): Dial {
  return (url, protocols, events) =>
    dial(url, protocols, {
      ...bound(events),
      open: (protocol) => schedule(openMs, () => events.open(protocol)),
    })
}

function bound(events: Parameters<Dial>[2]): Parameters<Dial>[2] {
  return {
    open: (protocol) => events.open(protocol),
    message: (bytes) => events.message(bytes),
    text: () => events.text(),
    drained: () => events.drained(),
    pong: () => events.pong(),
    closed: (code, reason) => events.closed(code, reason),
  }
}

describe("a link with a round trip of 5 s", () => {
  const roundTripMs = 5_000
  const openMs = 2 * roundTripMs

  it("surprise-C3 opens: the second dial has a sufficient time limit, and later ones have it at once", async () => {
    const world = createWorld({ profile: "hawser.1", latencyMs: roundTripMs / 2 })
    const schedule = (ms: number, work: () => void): void => void world.clock.schedule(ms, work)
    const dial = slowly(world.network.dial, schedule, openMs - roundTripMs / 2)
    const client = world.client({ dial, limits: { probeAfterMs: 600_000 } })
    const statuses: ClientStatus[] = watchStatus(client)
    client.connect().catch(() => {})
    await world.clock.advance(defaultClientLimits.dialTimeoutMs + 250 + openMs + roundTripMs + 100)
    expect(statuses.at(-1)).toEqual({ state: "open" })
    expect(world.network.links).toHaveLength(2)
    world.network.links[1]?.cut()
    await world.clock.advance(250 + openMs + roundTripMs + 100)
    expect(client.current.state).toBe("open")
    expect(client.stats()).toMatchObject({ dials: 3, sessionsResumed: 1 })
  })

  it("surprise-C3 has 20 s at the server for HELLO: a round trip, and the repetitions of TCP", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const refused: string[] = []
    world.network.dial("memory:", ["hawser.1"], {
      ...bound(neverMind),
      closed: (_, reason) => refused.push(reason),
    })
    await world.clock.advance(15_000)
    expect(refused).toEqual([])
    await world.clock.advance(5_100)
    expect(refused).toEqual(["no verified token within 20000 ms (limits.authTimeoutMs)"])
  })
})

/** A socket that never receives anything. */
const deaf: Connection = {
  bufferedBytes: 0,
  send: () => true,
  close: () => {},
  terminate: () => {},
  pause: () => {},
  resume: () => {},
}

const neverMind: Parameters<Dial>[2] = {
  open: () => {},
  message: () => {},
  text: () => {},
  drained: () => {},
  pong: () => {},
  closed: () => {},
}

describe("a dial into a black hole", () => {
  it("surprise-A9 is replaced by wake() and connect() after 8 s, though failures have lengthened its limit", async () => {
    const world = createWorld({ profile: "hawser.1" })
    let isHole = false
    const dial: Dial = (url, protocols, events) =>
      isHole ? deaf : world.network.dial(url, protocols, events)
    for (const give of ["wake", "connect"] as const) {
      const client = world.client({ dial, limits: boundlessDials })
      world.network.listening = false
      client.connect().catch(() => {})
      await world.clock.advance(60_000)
      world.network.listening = true
      isHole = true
      await world.clock.advance(30_000)
      const { dials } = client.stats()
      isHole = false
      await world.clock.advance(1_000)
      // The dial is still under way: its limit is one minute here.
      expect([client.current.state, client.stats().dials]).toEqual(["reconnecting", dials])
      if (give === "wake") client.wake()
      else client.connect().catch(() => {})
      await world.clock.settle()
      expect(client.current.state).toBe("open")
      expect(client.stats().handshakesFailedByCode).toMatchObject({ connection_timeout: 1 })
      client.close()
    }
  })
})

describe("a strategy that throws", () => {
  it("is reported, and the client continues with the default one", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world, {
      reconnect: () => {
        throw new HawserError("sys_internal_error", { message: "no idea" })
      },
    })
    world.network.links[0]?.cut()
    await world.clock.advance(250)
    expect(client.current.state).toBe("open")
    expect(world.clientErrors).toMatchObject([{ message: "no idea" }])
  })
})
