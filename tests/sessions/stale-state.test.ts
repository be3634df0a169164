// A deadline, a count or a mark of an ended period has no effect on its successor: of a held message, a dropped
// connection, a resume window, a stall, a move, an outage.
import type { ClientOptions } from "@hawser/client"
import type { Dial } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { boundlessDials, createWorld, openClient } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"
import type { ScriptedClient } from "./scripted-client.ts"
import { WireTap } from "./wire-tap.ts"

async function resume(world: World, first: ScriptedClient): Promise<ScriptedClient> {
  const { sessionId = "", resumeToken } = first.welcome ?? {}
  const claim = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
  const second = await sendHello(world, { dial: 2, resume: claim })
  expect(second.welcome).toMatchObject({ resumed: true, sessionId })
  return second
}

describe("a request after held ones", () => {
  it("door-8 has its full timeout, which does not start at their arrival", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { inboxHighWater: 1 } })
    const client = await sendHello(world)
    const request = { kind: "request", call: undefined } as const
    for (const reference of [1, 2, 3])
      client.send({ ...request, type: "slow", payload: { ms: 50 }, budgetMs: 0, reference })
    await world.clock.advance(10_000)
    client.send({ ...request, type: "echo", payload: { text: "late" }, budgetMs: 5_000, reference: 4 })
    await world.clock.advance(10)
    const reply = client.received.findLast(({ kind }) => kind === "reply")
    expect(reply).toMatchObject({ reference: 4, outcome: { ok: true } })
  })
})

/** The server drops the connection; the client's later messages on it do not arrive. */
async function drop(world: World): Promise<void> {
  world.network.links[0]?.server.stall(true)
  const drained = world.server.drain({ spreadMs: 0, graceMs: 100 })
  await world.clock.advance(100)
  await drained
  expect(world.server.local.sessions()).toMatchObject([{ active: true, attached: false }])
}

describe("a dropped connection of a page that is left", () => {
  it("door-8 shortens no window when its session is on another connection", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sendHello(world)
    await drop(world)
    await resume(world, first)
    world.network.links[0]?.client.close(1001, "")
    await world.clock.advance(60_000)
    expect(world.server.local.sessions()).toMatchObject([{ active: true, attached: true }])
  })

  it("door-8 leaves one window, which a resume ends", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sendHello(world)
    await drop(world)
    world.network.links[0]?.client.close(1001, "")
    await world.clock.advance(2_000)
    const second = await resume(world, first)
    await world.clock.advance(300_000)
    expect(world.server.local.sessions()).toMatchObject([{ active: true, attached: true }])
    expect(second.closes).toEqual([])
  })
})

describe("a client that acknowledges late, again and again", () => {
  it("door-8 gets a PING each time before it is dropped", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await sendHello(world)
    const [session] = world.server.local.sessions()
    const asked = (): number => client.received.filter(({ kind }) => kind === "ping").length
    session?.send("note", { text: "1" })
    await world.clock.advance(46_200)
    expect(asked()).toBe(1)
    session?.send("note", { text: "2" })
    await world.clock.advance(300)
    client.send({ kind: "ack", handled: 1 })
    await world.clock.advance(48_000)
    expect([asked(), client.closes]).toEqual([2, []])
    await world.clock.advance(48_000)
    expect(client.closes).toEqual([4408])
  })
})

describe("a move that the server requested", () => {
  const goaway = { kind: "goaway", reason: "moving", deadlineMs: 20_000, intent: "drain" } as const

  it("door-8 ends with the connection that it concerns: the successor stays", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const tap = new WireTap(world.network.dial)
    const client = await openClient(world, { dial: tap.dial })
    tap.sendAsServer({ ...goaway, startInMs: 5_000 })
    await world.clock.advance(1_000)
    world.network.links[0]?.cut()
    await world.clock.advance(30_000)
    expect([client.current.state, world.network.links.length]).toEqual(["open", 2])
  })

  it("door-8 happens once, at the time of the last request", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const tap = new WireTap(world.network.dial)
    const client = await openClient(world, { dial: tap.dial })
    tap.sendAsServer({ ...goaway, startInMs: 1_000 })
    tap.sendAsServer({ ...goaway, startInMs: 5_000 })
    await world.clock.advance(4_999)
    expect(world.network.links).toHaveLength(1)
    await world.clock.advance(30_000)
    expect([client.current.state, world.network.links.length]).toEqual(["open", 2])
  })
})

describe("a drain after its deadline", () => {
  it("door-8 closes the connections that stayed, and no successor of one that is still closing", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sendHello(world)
    const other = await sendHello(world, { token: "ben", clientId: "other" })
    world.network.links[0]?.server.stall(true)
    const drained = world.server.drain({ spreadMs: 0, graceMs: 500 })
    await world.clock.advance(300)
    const second = await resume(world, first)
    await world.clock.advance(300)
    await drained
    expect([other.closes, second.closes]).toEqual([[4503], []])
    expect(world.server.local.sessions("ann")).toMatchObject([{ attached: true }])
  })

  it("door-8 counts the connections that stayed, and no others", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const first = await sendHello(world)
    await sendHello(world, { token: "ben", clientId: "other" })
    const drained = world.server.drain({ spreadMs: 0, graceMs: 500 })
    await world.clock.advance(300)
    await resume(world, first)
    await world.clock.advance(300)
    await drained
    expect(world.server.stats()).toMatchObject({ drains: 1, drainOverdue: 1, connections: 1 })
  })
})

/** Two outages of two attempts each, at the first connection and after a cut: each must be reported once. */
async function twoOutages(world: World, fail: { isOn: boolean }, options: Partial<ClientOptions>) {
  const client = world.client({ ...options, reconnect: () => 100, limits: boundlessDials })
  fail.isOn = true
  const connected = client.connect()
  await world.clock.advance(150)
  fail.isOn = false
  await world.clock.advance(1_000)
  await connected
  const reported = world.clientErrors.length
  fail.isOn = true
  client.cut()
  await world.clock.advance(250)
  fail.isOn = false
  await world.clock.advance(1_000)
  expect(client.current.state).toBe("open")
  return [reported, world.clientErrors.length]
}

describe("an application's function that fails for a while", () => {
  it("door-8 is reported once in each outage: the token function", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const fail = { isOn: false }
    const token = (): string => {
      if (fail.isOn) throw new Error("no token")
      return "ann"
    }
    expect(await twoOutages(world, fail, { token })).toEqual([1, 2])
  })

  it("door-8 is reported once in each outage: the dial", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const fail = { isOn: false }
    const dial: Dial = (...words) => {
      if (fail.isOn) throw new Error("no socket")
      return world.network.dial(...words)
    }
    expect(await twoOutages(world, fail, { dial })).toEqual([1, 2])
  })
})

describe("a socket without `drained` events", () => {
  it("door-8 is polled on each connection, also if the one before was lost while it was full", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const dial: Dial = (url, protocols, events) =>
      world.network.dial(url, protocols, { ...events, drained: () => {} })
    const limits = { ...boundlessDials, socketHighWaterBytes: 1_000 }
    const client = await openClient(world, { dial, limits, reconnect: () => 100 })
    const ask = (text: string): void =>
      void client.command("echo", { text: text.repeat(600) }).catch(() => {})
    world.network.links[0]?.client.stall(true)
    for (const text of ["a", "b", "c", "d"]) ask(text)
    await world.clock.advance(200)
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    world.network.links[1]?.client.stall(true)
    for (const text of ["e", "f", "g", "h"]) ask(text)
    await world.clock.advance(200)
    world.network.links[1]?.client.stall(false)
    // Before an acknowledgement shows that there is room.
    await world.clock.advance(300)
    expect(world.handled.map(([first]) => first)).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"])
  })
})
