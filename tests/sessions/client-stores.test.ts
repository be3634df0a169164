// `client.stores`: the values of methods and events as snapshots for frameworks.
import { describe, expect, it } from "vitest"
import { connect, createWorld, openClient, profiles } from "../faults/harness.ts"

describe.each(profiles)("the stores of a client of %s", (profile) => {
  it("hold the status and the session, and change before their events arrive", async () => {
    const world = createWorld({ profile })
    const client = world.client({ reconnect: () => 1_000 })
    const { status, session } = client.stores
    const seen: unknown[] = []
    status.subscribe(() => seen.push(status.snapshot().state))
    session.subscribe(() => seen.push(session.snapshot().last?.kind))
    client.onStatus((now) => expect(status.snapshot()).toBe(now))
    client.onSession((event) => expect(session.snapshot().last).toBe(event))
    expect([status.snapshot(), session.snapshot()]).toEqual([
      { state: "idle" },
      { id: undefined, last: undefined },
    ])
    await connect(world, client)
    expect(session.snapshot().id).toBe(client.sessionId)
    expect(status.snapshot()).toBe(status.snapshot())
    client.close()
    expect(seen).toEqual(["connecting", "open", "opened", "reset", "closed"])
    expect(session.snapshot()).toMatchObject({ id: undefined, last: { cause: "client_closed" } })
  })

  it("hold the pending requests: waiting for a connection, then sent, then gone", async () => {
    const world = createWorld({ profile })
    const client = world.client()
    const { pending } = client.stores
    const seen: string[][] = []
    pending.subscribe(() => seen.push(pending.snapshot().map(({ name, state }) => `${name} ${state}`)))
    const connected = client.connect()
    const echoed = client.command("echo", { text: "a" })
    expect(pending.snapshot()).toMatchObject([{ call: "command", input: { text: "a" }, state: "waiting" }])
    await world.clock.settle()
    await Promise.all([connected, echoed])
    expect(pending.snapshot()).toEqual([])
    const distinct = seen.filter((now, at) => JSON.stringify(now) !== JSON.stringify(seen[at - 1]))
    expect(distinct).toEqual([[], ["echo waiting"], ["echo sent"], []])
    const before = pending.snapshot()
    await world.clock.advance(100)
    expect(pending.snapshot()).toBe(before)
  })

  it("hold the numbers, taken each second, with no timer on a closed client", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const { stats } = client.stores
    const seen: number[] = []
    stats.subscribe(() => seen.push(stats.snapshot().calls["echo"]?.count ?? 0))
    const before = stats.snapshot()
    const echoed = client.command("echo", { text: "a" })
    await world.clock.advance(100)
    await echoed
    expect(stats.snapshot()).toBe(before)
    await world.clock.advance(1_000)
    expect([seen, stats.snapshot().calls["echo"]?.count]).toEqual([[1], 1])
    client.close()
    expect(client.stats().timers).toBe(0)
  })
})

it("have snapshots that cannot be changed", async () => {
  const world = createWorld({ profile: "hawser.1" })
  const client = await openClient(world)
  client.command("never", {}).catch(() => {})
  const { pending, session, stats, status } = client.stores
  const snapshots: object[] = [pending.snapshot(), session.snapshot(), stats.snapshot(), status.snapshot()]
  expect(snapshots.map((snapshot) => Object.isFrozen(snapshot))).toEqual([true, true, true, true])
})

it("shows a request behind a full send buffer of an open connection as throttled", async () => {
  const world = createWorld({ profile: "hawser.1" })
  const client = world.client({ limits: { sendBufferMaxCount: 1 } })
  const seen = new Set<string>()
  const { pending } = client.stores
  pending.subscribe(() =>
    seen.add(
      pending
        .snapshot()
        .map(({ state }) => state)
        .join(" "),
    ),
  )
  const connected = client.connect()
  const calls = ["a", "b"].map((text) => client.command("echo", { text }))
  await world.clock.advance(1_000)
  await Promise.all([connected, ...calls])
  expect([...seen]).toEqual(["", "waiting", "waiting waiting", "sent throttled", "throttled", "sent"])
})
