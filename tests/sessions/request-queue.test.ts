// The queue of requests that wait for a session, or for room in its buffer (docs/protocol.md: C3, B4, O2, O3). A
// request that does not fit is refused at its call; a queued one keeps its position, whatever the outcome of the
// session.
import { unwatched } from "@hawser/protocol/testing"
import type { Client } from "@hawser/client"
import type { Contract } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { contract, createWorld, profiles } from "../faults/harness.ts"
import type { TestContract } from "../faults/harness.ts"

const patient = { timeoutMs: 600_000 }
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
const answers = (texts: readonly string[]): string[] => texts.map((text) => `${text} ok`)

/** Calls `echo`, and records the order of the outcomes. */
function caller(client: Client<TestContract>) {
  const outcomes: string[] = []
  const call = (text: string, key?: string): void => {
    const name = text.trim()
    client.command("echo", { text }, key === undefined ? patient : { ...patient, key }).then(
      () => outcomes.push(`${name} ok`),
      (error: { code: string }) => outcomes.push(`${name} ${error.code}`),
    )
  }
  return { outcomes, call }
}

describe.each(profiles)("requests before the first session, in profile %s", (profile) => {
  it("are refused at the call beyond 1 MiB, and accepted ones are answered in order", async () => {
    const world = createWorld({ profile })
    const client = world.client()
    const { outcomes, call } = caller(client)
    unwatched(client.connect())
    const texts = [...numbered(39), "tiny"]
    for (const text of texts) call(text === "tiny" ? text : text.padEnd(40_000))
    expect(client.stats().queued).toBe(27)
    await Promise.resolve()
    // No message has been sent yet, and the refusals have already been thrown.
    expect(world.network.links).toEqual([])
    expect(outcomes.splice(0)).toEqual(
      numbered(39)
        .slice(26)
        .map((text) => `${text} buffer_full`),
    )
    await world.clock.advance(120_000)
    expect(outcomes).toEqual(answers([...numbered(26), "tiny"]))
    expect(client.stats()).toMatchObject({ pending: 0, queued: 0 })
  })

  it("are accepted in any size while the queue is empty", async () => {
    const world = createWorld({ profile })
    const client = world.client({ limits: { sendBufferMaxBytes: 1_000 } })
    const { outcomes, call } = caller(client)
    unwatched(client.connect())
    call("big".padEnd(5_000))
    call("more")
    await world.clock.settle()
    expect(outcomes).toEqual(["more buffer_full", "big ok"])
  })

  it("are refused at the call if they cannot be encoded", async () => {
    const world = createWorld({ profile })
    const loose: Contract = contract
    const client = world.clientOf(loose)
    unwatched(client.connect())
    await expect(client.command("echo", { text: () => {} })).rejects.toMatchObject({ code: "invalid_input" })
    expect(client.current.state).toBe("connecting")
    await world.clock.settle()
  })

  it("wait for room in the session's buffer, in order with calls in between", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    // Ten inputs of 20 bytes fit into the queue; their messages are longer.
    const bounds = { sendBufferMaxBytes: 300, sendBufferMaxCount: 4 }
    // The socket reports when it has room; the client need not poll it.
    const client = world.client({ limits: { ...bounds, socketPollMs: 1_000_000 } })
    const { outcomes, call } = caller(client)
    client.onSession(({ kind }) => kind === "opened" && call("late"))
    unwatched(client.connect())
    for (const text of numbered(10)) call(text)
    await world.clock.advance(25)
    // HELLO was sent; the requests stay in the client's socket.
    world.network.links[0]?.client.stall(true)
    await world.clock.advance(10)
    expect(client.stats().queued).toBeGreaterThan(0)
    const { length } = client.pending()
    const waiting = client.pending().findIndex(({ state }) => state === "throttled")
    expect(client.pending().map(({ state }) => state)).toEqual(
      Array.from({ length }, (_, index) => (index < waiting ? "sent" : "throttled")),
    )
    world.network.links[0]?.client.stall(false)
    await world.clock.advance(60_000)
    expect(outcomes).toEqual(answers([...numbered(10), "late"]))
    expect(world.handled).toEqual([...numbered(10), "late"])
  })
})

describe("requests that wait for room", () => {
  const profile = "hawser.1"
  const limits = { sendBufferMaxCount: 4 }

  it.each([
    ["before", 35],
    ["after", 45],
  ])(
    "keep their position over an outage that begins %s the server has the sent messages",
    async (_, atMs) => {
      const world = createWorld({ profile, latencyMs: 10 })
      const client = world.client({ limits })
      const { outcomes, call } = caller(client)
      const queuedThen: number[] = []
      client.onSession(({ kind }) => kind === "resumed" && queuedThen.push(client.stats().queued))
      unwatched(client.connect())
      for (const text of numbered(10)) call(text)
      await world.clock.advance(atMs)
      world.network.links[0]?.cut()
      await world.clock.settle()
      expect(client.stats()).toMatchObject({ queued: 6, bufferedMessages: 4 })
      expect(world.handled).toHaveLength(atMs === 35 ? 0 : 4)
      call("meanwhile")
      await world.clock.advance(5_000)
      // WELCOME frees the space of all requests that the server has handled.
      expect(queuedThen).toEqual([atMs === 35 ? 7 : 3])
      expect(outcomes).toEqual(answers([...numbered(10), "meanwhile"]))
      expect(client.stats()).toMatchObject({ sessionsResumed: 1, sessionsReset: 0 })
    },
  )

  it("are not refused after a reset, whether they may have been executed or not", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    const client = world.client({ limits })
    const { outcomes, call } = caller(client)
    const connected = client.connect()
    await world.clock.advance(100)
    await connected
    for (const text of numbered(4)) call(text, `key ${text}`)
    await world.clock.advance(5)
    // A SYNC of another history: it overtakes the replies, and the client resets the session.
    world.network.links[0]?.server.send({ bytes: Uint8Array.of(0x0b, 0x92, 0x00, 0x01) })
    world.network.listening = false
    await world.clock.advance(1_000)
    expect(world.handled).toEqual(numbered(4))
    expect(client.stats()).toMatchObject({ sessionsReset: 1, queued: 4 })
    for (const text of ["4", "5", "6"]) call(text)
    expect(client.pending().map(({ state }) => state)).toEqual(Array.from({ length: 7 }, () => "waiting"))
    world.network.listening = true
    await world.clock.advance(60_000)
    expect(outcomes).toEqual(answers(numbered(7)))
    expect(world.handled).toEqual(numbered(7))
  })

  it("continue when the requests before them are abandoned", async () => {
    const world = createWorld({ profile })
    const client = world.client({ limits })
    const { outcomes, call } = caller(client)
    const controller = new AbortController()
    unwatched(client.connect())
    for (const text of numbered(4)) call(text)
    const gone = client.command("echo", { text: "gone" }, { ...patient, signal: controller.signal })
    call("last")
    controller.abort()
    await expect(gone).rejects.toMatchObject({ code: "cancelled" })
    await world.clock.advance(1_000)
    expect(outcomes).toEqual(answers([...numbered(4), "last"]))
  })
})

describe("a full socket of protocol 2.0", () => {
  it("changes no request's position in the queue", async () => {
    const world = createWorld({ profile: "2.0", latencyMs: 10 })
    const client = world.client()
    const { outcomes, call } = caller(client)
    unwatched(client.connect())
    for (const text of ["a", "b", "c"]) call(text)
    await world.clock.advance(15)
    world.network.links[0]?.client.refuseSends()
    await world.clock.advance(60_000)
    expect(world.network.links).toHaveLength(2)
    expect(outcomes).toEqual(answers(["a", "b", "c"]))
    expect(world.handled).toEqual(["a", "b", "c"])
  })
})
