// A user whose messages exceed the bucket is paused (M4). Only consecutive pauses are a flood.
import { createClient, fixed } from "@hawser/client"
import type { Client } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createWorld, openClient, profiles } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

const limits = { userBytesPerSecond: 1_000, userByteBurst: 1_000, throttledMaxMs: 2_000 }

interface Asking {
  readonly count: number
  readonly bytes: number
  readonly everyMs: number
}

async function ask(
  world: World,
  client: Client<TestContract>,
  { count, bytes, everyMs }: Asking,
): Promise<void> {
  for (let asked = 0; asked < count; asked += 1) {
    client.command("echo", { text: "x".repeat(bytes) }).catch(() => {})
    await world.clock.advance(everyMs)
  }
}

async function open(profile: Profile) {
  const world = createWorld({ profile, limits })
  const causes: string[] = []
  world.server.onSessionEnd(({ cause }) => causes.push(cause))
  return { world, causes, client: await openClient(world, { reconnect: false }) }
}

describe.each(profiles)("%s: a user whose every request exceeds a full bucket", (profile) => {
  it("door-8 is a flood in consecutive pauses, and not with gaps between them", async () => {
    const { world, client, causes } = await open(profile)
    // At the start of each request the user has no debt.
    await ask(world, client, { count: 10, bytes: 1_500, everyMs: 3_000 })
    expect(world.server.stats().throttledPauses).toBeGreaterThanOrEqual(10)
    expect([world.handled.length, causes]).toEqual([10, []])
    await ask(world, client, { count: 10, bytes: 1_500, everyMs: 500 })
    expect(causes).toEqual(["rate_limited"])
    expect(world.handled.length).toBeLessThan(20)
  })
})

it("door-8 a flood of held messages counts as one, long after a pause in which the socket was not read", async () => {
  const { world, client, causes } = await open("hawser.1")
  // Beyond 1 s of debt the socket is not read.
  await ask(world, client, { count: 1, bytes: 2_500, everyMs: 5_000 })
  await ask(world, client, { count: 10, bytes: 600, everyMs: 100 })
  await world.clock.advance(10_000)
  expect(causes).toEqual(["rate_limited"])
})

/** Sends one request with a time limit of 2 s, and returns its error. */
async function errorOf(
  { clock }: World,
  client: Client<TestContract>,
  name: "echo" | "never" = "echo",
): Promise<HawserError> {
  const timeoutMs = 2_000
  const sent =
    name === "echo"
      ? client.command(name, { text: "y" }, { timeoutMs })
      : client.command(name, {}, { timeoutMs })
  const outcome = sent.then(
    () => "a reply",
    (error: unknown) => error,
  )
  await clock.advance(timeoutMs)
  const error = await outcome
  if (!HawserError.is(error)) throw new Error(`not an error: ${String(error)}`)
  return error
}

describe("a request that a limit holds until its deadline", () => {
  it("names the server's limit and the time, although the request was sent", async () => {
    const rates = { userBytesPerSecond: 1_000, userByteBurst: 1_000, throttledMaxMs: 60_000 }
    const world = createWorld({ profile: "hawser.1", limits: rates })
    const client = await openClient(world)
    for (let sent = 0; sent < 4; sent += 1)
      client.command("echo", { text: "x".repeat(2_000) }).catch(() => {})
    const error = await errorOf(world, client)
    expect(error).toMatchObject({ code: "timeout", details: { limit: "userBytesPerSecond", heldMs: 2_000 } })
    expect(error.message).toBe(
      "\"echo\" got no reply within 2000 ms; its outcome is unknown. The server's limit userBytesPerSecond held this user's messages back for at least 2000 ms of this time: send fewer, or raise limits.userBytesPerSecond of createServer",
    )
  })

  it("names the limit of messages", async () => {
    const rates = { userMessagesPerSecond: 1, userMessageBurst: 1, throttledMaxMs: 60_000 }
    const world = createWorld({ profile: "hawser.1", limits: rates })
    const client = await openClient(world)
    await ask(world, client, { count: 5, bytes: 1, everyMs: 100 })
    expect((await errorOf(world, client)).details).toMatchObject({ limit: "userMessagesPerSecond" })
  })

  it("sends no notice of short pauses, and at most one in 500 ms", async () => {
    const rates = { userMessagesPerSecond: 10, userMessageBurst: 1, throttledMaxMs: 60_000 }
    const world = createWorld({ profile: "hawser.1", limits: rates })
    const client = await openClient(world)
    const notices = (): number =>
      (world.network.links[0]?.server.sent ?? []).filter(([byte]) => byte === 0x10).length
    await ask(world, client, { count: 3, bytes: 1, everyMs: 50 })
    await world.clock.advance(1_000)
    expect(notices()).toBe(0)
    await ask(world, client, { count: 40, bytes: 1, everyMs: 0 })
    await world.clock.advance(3_000)
    expect(notices()).toBeGreaterThanOrEqual(5)
    expect(notices()).toBeLessThanOrEqual(7)
  })

  it("names no limit that held only earlier requests", async () => {
    const { world, client } = await open("hawser.1")
    await ask(world, client, { count: 1, bytes: 2_500, everyMs: 5_000 })
    const error = await errorOf(world, client, "never")
    expect([error.message, error.details]).toEqual([
      '"never" got no reply within 2000 ms; its outcome is unknown',
      undefined,
    ])
  })

  it("names the send buffer that took no request", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = world.client({ limits: { sendBufferMaxCount: 1 } })
    client.connect().catch(() => {})
    client.command("never", {}).catch(() => {})
    const error = await errorOf(world, client)
    expect(error).toMatchObject({ code: "timeout", details: { limit: "sendBufferMaxCount", heldMs: 2_000 } })
    expect(error.message).toBe(
      '"echo" was not sent within 2000 ms, and the server has not executed it: the send buffer was full for 2000 ms (limits.sendBufferMaxCount, limits.sendBufferMaxBytes); await the replies before further calls',
    )
  })

  it("says that no connection was open, if none was", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world, { reconnect: fixed({ baseMs: 5_000 }) })
    client.cut()
    const error = await errorOf(world, client)
    expect(error.message).toBe(
      '"echo" was not sent within 2000 ms, and the server has not executed it: no connection was open',
    )
  })
})

it.each(["messages", "bytes", "deliveries"])(
  "abuse-M4 a limited call named %s has a bucket of its own",
  async (name) => {
    const look = { input: z.object({}), output: z.object({}), limit: { everyMs: 1_000, burst: 5 } }
    const contract = defineContract({ name: "names", queries: { [name]: look, other: look } })
    const clock = new SimulatedClock()
    const server = createServer(contract, { authenticate: (id) => ({ id }), clock })
    for (const query of [name, "other"]) server.query(query, () => ({}))
    const network = createMemoryNetwork({ clock, accept: server.accept })
    const client = createClient(contract, { url: "memory:", token: "ann", clock, dial: network.dial })
    await clock.advance(100)
    const outcomes: string[] = []
    const ask = async (query: string, count: number): Promise<void> => {
      for (let asked = 0; asked < count; asked += 1)
        client.query(query, {}).then(
          () => outcomes.push("ok"),
          (error: unknown) => outcomes.push(HawserError.is(error) ? error.code : "thrown"),
        )
      await clock.advance(100)
    }
    await ask("other", 3)
    outcomes.length = 0
    await ask(name, 6)
    expect(outcomes.toSorted()).toEqual(["ok", "ok", "ok", "ok", "ok", "rate_limited"])
  },
)
