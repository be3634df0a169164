// `connect()` with a time limit and a signal: its outcome, and the state of the client afterwards.
import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, rejection } from "../faults/harness.ts"

const world = () => createWorld({ profile: "hawser.1", latencyMs: 10 })
const reason = new Error("the user went elsewhere")

function aborted(): AbortSignal {
  return AbortSignal.abort(reason)
}

describe("a signal of connect()", () => {
  it("surprise-A6 rejects with cancelled when it was aborted before, without a dial", async () => {
    const here = world()
    const { clock, network } = here
    const client = here.client()
    expect(await rejection(client.connect({ signal: aborted() }))).toMatchObject({
      code: "cancelled",
      cause: reason,
    })
    await clock.advance(1_000)
    expect([client.current.state, network.links.length]).toEqual(["idle", 0])
  })

  it.each([0, 5, 15, 25])(
    "surprise-A6 rejects with cancelled when it aborts after %d ms, and closes the client that the call started",
    async (ms) => {
      const here = world()
      const { clock } = here
      const client = here.client()
      const aborter = new AbortController()
      const outcome = rejection(client.connect({ signal: aborter.signal }))
      await clock.advance(ms)
      aborter.abort(reason)
      expect(await outcome).toMatchObject({ code: "cancelled", cause: reason })
      await clock.advance(60_000)
      expect(client.current).toMatchObject({ state: "closed", error: { code: "client_closed" } })
      expect(client.stats().timers).toBe(0)
    },
  )

  it("surprise-A6 does not cancel the attempt of another call", async () => {
    const here = world()
    const { clock } = here
    const client = here.client()
    const first = client.connect()
    const aborter = new AbortController()
    const outcome = rejection(client.connect({ signal: aborter.signal }))
    aborter.abort(reason)
    expect(await outcome).toMatchObject({ code: "cancelled" })
    await clock.advance(1_000)
    await first
    expect(client.current.state).toBe("open")
  })

  it("surprise-A6 has no effect once the session is open, and leaves no listener behind", async () => {
    const here = world()
    const { clock } = here
    const client = here.client()
    const aborter = new AbortController()
    const listening = { count: 0 }
    const { signal } = aborter
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...parameters: Parameters<typeof add>): void => {
      listening.count += 1
      add(...parameters)
    }
    signal.removeEventListener = (...parameters: Parameters<typeof remove>): void => {
      listening.count -= 1
      remove(...parameters)
    }
    const connected = client.connect({ signal, timeoutMs: 5_000 })
    await clock.advance(1_000)
    await connected
    aborter.abort(reason)
    await clock.advance(10_000)
    expect([client.current.state, listening.count]).toEqual(["open", 0])
  })
})

describe("a time limit of connect()", () => {
  it("surprise-A6 rejects with connection_timeout and its cause, and the client continues its attempts", async () => {
    const here = world()
    const { clock, network } = here
    network.listening = false
    const client = here.client({ reconnect: () => 1_000 })
    const outcome = rejection(client.connect({ timeoutMs: 2_500 }))
    await clock.advance(2_499)
    expect(client.current.state).toBe("reconnecting")
    await clock.advance(1)
    const error = await outcome
    expect(error).toMatchObject({
      code: "connection_timeout",
      retry: "later",
      cause: { code: "connection_failed" },
    })
    expect(error.message).toContain(
      "no session within 2500 ms (timeoutMs); the client continues its attempts until close()",
    )
    network.listening = true
    await clock.advance(60_000)
    expect(client.current.state).toBe("open")
  })

  it("surprise-A6 ends when the session is open, or the client has closed before", async () => {
    const here = world()
    const { clock, network } = here
    const client = here.client({ reconnect: false })
    const opened = client.connect({ timeoutMs: 10_000 })
    await clock.advance(100)
    await opened
    client.close()
    expect(client.stats().timers).toBe(0)
    network.listening = false
    const refused = rejection(client.connect({ timeoutMs: 10_000 }))
    await clock.advance(100)
    expect(await refused).toMatchObject({ code: "reconnect_exhausted" })
    expect(client.stats().timers).toBe(0)
  })

  it("surprise-A6 resolves at once where a session is open", async () => {
    const client = await openClient(createWorld({ profile: "hawser.1" }))
    await client.connect({ timeoutMs: 1, signal: new AbortController().signal })
    expect(client.current.state).toBe("open")
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("surprise-A6 refuses %d", async (timeoutMs) => {
    const here = world()
    const client = here.client()
    const outcome: unknown = await client.connect({ timeoutMs }).catch((error: unknown) => error)
    expect([outcome instanceof RangeError, HawserError.is(outcome), client.current.state]).toEqual([
      true,
      false,
      "idle",
    ])
  })
})
