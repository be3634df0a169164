// A request that timed out or was cancelled for its caller is not executed afterwards: not after a resume, not after it
// was held, and not because a timer was late.
import { unwatched } from "@hawser/protocol/testing"
import type { Client } from "@hawser/client"
import { voidMaxCount } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import type { RequestFrame } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import type { TestContract, World, WorldOptions } from "../faults/harness.ts"
import { codec, sendHello } from "./scripted-client.ts"
import type { ScriptedClient } from "./scripted-client.ts"

const profile = "hawser.1"
const brief = { timeoutMs: 2_000 }
const patient = { timeoutMs: 600_000 }

async function openFar(
  limits: WorldOptions["limits"] = {},
): Promise<{ world: World; client: Client<TestContract> }> {
  const world = createWorld({ profile, latencyMs: 10, limits })
  const client = world.client()
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return { world, client }
}

/** Drops all packets without a notice, and refuses all dials. */
function breakLink(world: World): void {
  world.network.links.at(-1)?.blackHole()
  world.network.listening = false
}

/** Abandons the connection, if the client has not yet, then dials and resumes. */
async function reconnect(world: World, client: Client<TestContract>): Promise<void> {
  world.network.listening = true
  client.cut()
  unwatched(client.connect())
  await world.clock.advance(1_000)
  expect(client.current.state).toBe("open")
  expect(world.server.stats().sessionsResumed).toBeGreaterThan(0)
}

function outcomeOf(reply: Promise<unknown>): Promise<string> {
  return reply.then(
    () => "ok",
    (error: unknown) =>
      typeof error === "object" && error !== null && "code" in error ? String(error.code) : "?",
  )
}

describe("a request that timed out on a half-open connection", () => {
  it("surprise-C2 is not executed after the resume: none of 66, unlike those with time left", async () => {
    const { world, client } = await openFar()
    breakLink(world)
    const outcomes: Promise<string>[] = []
    for (let count = 0; count < 66; count += 1) {
      outcomes.push(outcomeOf(client.command("echo", { text: `dead ${count}` }, brief)))
      await world.clock.advance(500)
    }
    const alive = client.command("echo", { text: "alive" }, patient)
    await reconnect(world, client)
    // The last ones still had time left at the resume.
    const settled = await Promise.all(outcomes)
    const inTime = settled.flatMap((outcome, count) => (outcome === "ok" ? [`dead ${count}`] : []))
    expect(inTime.length).toBeLessThanOrEqual(4)
    expect(settled.every((outcome) => outcome === "ok" || outcome === "timeout")).toBe(true)
    expect(await alive).toEqual({ text: "alive" })
    expect(world.handled).toEqual([...inTime, "alive"])
    expect(world.server.stats().requestsVoided).toBe(66 - inTime.length)
    // Each got its one reply, and the counts of both ends agree.
    await world.clock.advance(1_000)
    expect(client.stats()).toMatchObject({ pending: 0, bufferedMessages: 0 })
    expect(world.server.stats().requestsSettled).toBe(67)
    const next = client.command("echo", { text: "next" })
    await world.clock.advance(100)
    expect(await next).toEqual({ text: "next" })
  })

  it("surprise-C2 is not executed after a second resume either, when the first one was cut at once", async () => {
    const { world, client } = await openFar()
    breakLink(world)
    const dead = outcomeOf(client.command("echo", { text: "dead" }, brief))
    await world.clock.advance(2_000)
    expect(await dead).toBe("timeout")
    world.network.listening = true
    client.cut()
    unwatched(client.connect())
    // WELCOME arrives, and no later message of the client.
    while (world.server.stats().sessionsResumed === 0) await world.clock.advance(1)
    world.network.links.at(-1)?.client.stall(true)
    await world.clock.advance(100)
    expect([client.current.state, world.server.stats().requestsVoided]).toEqual(["open", 0])
    await reconnect(world, client)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 2, requestsVoided: 1 })
    expect(world.handled).toEqual([])
  })

  it("surprise-C2 is not executed when its caller cancelled it, and leaves its idempotency key free", async () => {
    const { world, client } = await openFar()
    breakLink(world)
    const aborter = new AbortController()
    const cancelled = outcomeOf(
      client.command("echo", { text: "first" }, { key: "k", signal: aborter.signal }),
    )
    await world.clock.advance(500)
    aborter.abort()
    const timedOut = outcomeOf(client.command("echo", { text: "second" }, { ...brief, key: "k" }))
    await world.clock.advance(2_000)
    expect([await cancelled, await timedOut]).toEqual(["cancelled", "timeout"])
    await reconnect(world, client)
    const third = client.command("echo", { text: "third" }, { key: "k" })
    await world.clock.advance(100)
    expect([await third, world.handled]).toEqual([{ text: "third" }, ["third"]])
  })

  it("surprise-C2 is not executed when the client's timers are late, as in a hidden tab", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    let isThrottled = false
    const clock: Clock = {
      now: () => world.clock.now(),
      schedule: (delayMs, callback) =>
        world.clock.schedule(delayMs, () => {
          if (!isThrottled) callback()
        }),
    }
    const client = world.client({ clock })
    const connected = client.connect()
    await world.clock.advance(100)
    await connected
    breakLink(world)
    const sent = outcomeOf(client.command("echo", { text: "sent" }, brief))
    world.network.listening = true
    isThrottled = true
    client.cut()
    const waiting = outcomeOf(client.command("echo", { text: "waiting" }, brief))
    const later = client.command("echo", { text: "later" }, patient)
    await world.clock.advance(2_500)
    // It dials without a timer.
    client.wake()
    await world.clock.advance(100)
    expect([await sent, await waiting]).toEqual(["timeout", "timeout"])
    expect([await later, world.handled]).toEqual([{ text: "later" }, ["later"]])
    // VOID named both: they ended before the retransmission.
    expect(world.server.stats().requestsVoided).toBe(2)
  })
})

describe("a queued request at the server", () => {
  it("surprise-C2 is not executed when it expired before the request in front of it had ended", async () => {
    const { world, client } = await openFar()
    const slow = client.command("slow", { ms: 3_000 }, patient)
    const late = outcomeOf(client.command("echo", { text: "late" }, brief))
    const inTime = client.command("echo", { text: "in time" }, patient)
    await world.clock.advance(100)
    // Its CANCEL cannot arrive.
    breakLink(world)
    await world.clock.advance(4_000)
    expect(await late).toBe("timeout")
    expect(world.handled).toEqual(["in time"])
    await reconnect(world, client)
    expect([await slow, await inTime]).toEqual([{ ms: 3_000 }, { text: "in time" }])
    expect(world.handled).toEqual(["in time"])
  })

  it("surprise-C2 is not executed when it was held for longer than its timeout", async () => {
    const { world, client } = await openFar({ inboxHighWater: 1 })
    const slow = client.command("slow", { ms: 3_000 }, patient)
    const waits = client.command("echo", { text: "waits" }, patient)
    const held = outcomeOf(client.command("echo", { text: "held" }, brief))
    await world.clock.advance(100)
    breakLink(world)
    await world.clock.advance(4_000)
    expect([await held, world.handled]).toEqual(["timeout", ["waits"]])
    await reconnect(world, client)
    expect([await slow, await waits]).toEqual([{ ms: 3_000 }, { text: "waits" }])
    expect(world.handled).toEqual(["waits"])
  })
})

describe("a stalled connection", () => {
  it("surprise-C2 does not execute a request whose CANCEL arrives in the same read", async () => {
    const { world, client } = await openFar()
    const [link] = world.network.links
    link?.client.stall(true)
    const dead = outcomeOf(client.command("echo", { text: "dead" }, brief))
    const alive = client.command("echo", { text: "alive" }, patient)
    await world.clock.advance(2_100)
    expect(await dead).toBe("timeout")
    link?.client.stall(false)
    await world.clock.advance(100)
    expect([await alive, world.handled]).toEqual([{ text: "alive" }, ["alive"]])
  })

  it("executes requests in the same read as the client's BYE", async () => {
    const { world, client } = await openFar()
    const last = outcomeOf(client.command("echo", { text: "last" }))
    client.close()
    await world.clock.advance(100)
    expect([await last, world.handled]).toEqual(["client_closed", ["last"]])
  })
})

function repliesOf({ received }: ScriptedClient): string[] {
  return received.flatMap((frame) =>
    frame.kind === "reply" ? `${frame.reference} ${frame.outcome.ok ? "ok" : frame.outcome.error.code}` : [],
  )
}

describe("VOID", () => {
  const request = (text: string): RequestFrame => ({
    kind: "request",
    call: "command",
    type: "echo",
    payload: { text },
    budgetMs: 0,
    reference: 0,
  })

  it("surprise-C2 settles each request that it names with one reply, and no other", async () => {
    const world = createWorld({ profile })
    const peer = await sendHello(world)
    peer.send({ kind: "void", references: [2, 3] })
    for (const text of ["1", "2", "3", "4"]) peer.send(request(text))
    await world.clock.settle()
    expect(world.handled).toEqual(["1", "4"])
    expect(repliesOf(peer).toSorted()).toEqual(["1 ok", "2 cancelled", "3 cancelled", "4 ok"])
    expect(world.server.stats()).toMatchObject({ requestsSettled: 4, requestsVoided: 2, badMessages: 0 })
  })

  it("surprise-C2 cancels at once running, queued and held requests, without any CANCEL", async () => {
    const world = createWorld({ profile, limits: { inboxHighWater: 1 } })
    const peer = await sendHello(world)
    peer.send({ ...request(""), type: "slow", payload: { ms: 60_000 } })
    for (const text of ["waits", "held", "after"]) peer.send(request(text))
    await world.clock.settle()
    expect([world.handled, repliesOf(peer)]).toEqual([[], []])
    peer.send({ kind: "void", references: [1, 2, 3] })
    await world.clock.settle()
    expect(world.handled).toEqual(["after"])
    expect(repliesOf(peer).toSorted()).toEqual(["1 cancelled", "2 cancelled", "3 cancelled", "4 ok"])
  })

  it("surprise-C2 is not needed for a request that is held with its CANCEL: it is never started", async () => {
    const world = createWorld({ profile, limits: { inboxHighWater: 1 } })
    const peer = await sendHello(world)
    peer.send({ ...request(""), type: "slow", payload: { ms: 1_000 } })
    for (const text of ["waits", "held", "after"]) peer.send(request(text))
    peer.send({ kind: "cancel", reference: 3 })
    await world.clock.advance(2_000)
    expect(world.handled).toEqual(["waits", "after"])
    expect(repliesOf(peer)).toEqual(["1 ok", "2 ok", "3 cancelled", "4 ok"])
    expect(world.server.stats()).toMatchObject({ requestsSettled: 4, requestsVoided: 1 })
  })

  it("surprise-C2 has no effect for settled counts, for counts that never arrive, and for too many counts", async () => {
    const world = createWorld({ profile })
    const peer = await sendHello(world)
    peer.send(request("1"))
    await world.clock.settle()
    const many = Array.from({ length: voidMaxCount }, (_, index) => 1_000_000 + index)
    peer.send({ kind: "void", references: [0, 1, Number.MAX_SAFE_INTEGER, ...many, 3] })
    for (const text of ["2", "3"]) peer.send(request(text))
    await world.clock.settle()
    // The third request was named beyond the bound.
    expect(world.handled).toEqual(["1", "2", "3"])
    expect([peer.closes, world.serverErrors]).toEqual([[], []])
  })

  it("surprise-C2 holds for a request that is held through another resume, whose VOID does not name it", async () => {
    const { world, client } = await openFar({ inboxHighWater: 1 })
    const aborter = new AbortController()
    const slow = client.command("slow", { ms: 30_000 }, patient)
    const waits = client.command("echo", { text: "waits" }, patient)
    const held = outcomeOf(client.command("echo", { text: "held" }, { ...patient, signal: aborter.signal }))
    await world.clock.advance(100)
    breakLink(world)
    aborter.abort()
    await reconnect(world, client)
    expect([await held, client.stats().bufferedMessages]).toEqual(["cancelled", 4])
    breakLink(world)
    const dead = outcomeOf(client.command("echo", { text: "dead" }, brief))
    await world.clock.advance(2_000)
    await reconnect(world, client)
    await world.clock.advance(60_000)
    expect([await dead, await slow, await waits]).toEqual(["timeout", { ms: 30_000 }, { text: "waits" }])
    expect([world.handled, world.server.stats().requestsVoided]).toEqual([["waits"], 2])
  })

  it("surprise-C2 names all requests of a full send buffer, before anything else of the replay", async () => {
    const { world, client } = await openFar({ userMessagesPerSecond: 1e6, userMessageBurst: 1e6 })
    breakLink(world)
    const outcomes = Array.from({ length: 1_024 }, (_, count) =>
      outcomeOf(client.command("echo", { text: String(count) }, brief)),
    )
    await world.clock.advance(2_000)
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["timeout"]))
    await reconnect(world, client)
    await world.clock.advance(1_000)
    // The buffer was full of requests, so their CANCELs were queued outside it; VOID still names them.
    expect([world.handled, world.server.stats().requestsVoided]).toEqual([[], 1_024])
    expect(client.stats()).toMatchObject({ pending: 0, bufferedMessages: 0 })
    const first = world.network.links
      .at(-1)
      ?.client.sent.map((bytes) => codec.decode(bytes, 0).kind)
      .slice(0, 4)
    expect(first).toEqual(["hello", "ack", "void", "request"])
  })
})
