// Links with a lower rate than the replicas' changes: a viewer sees the current state, not a backlog. The bound holds
// if the link carries the largest snapshot in a second (docs/guarantees.md).
import type { Clock } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { LinksWorld, most, tickMs } from "./harness.ts"

const latencyMs = 150
const roundTripMs = 2 * latencyMs
const boundMs = 2 * roundTripMs + 2_000
/** Its updates are 18 kbit/s, its snapshot 5 kbit. */
const crowd = { walkers: 42, lookLength: 2, latencyMs }

describe("forty clients on slow links", { timeout: 120_000 }, () => {
  it.each([
    [10_000, 45],
    [8_000, 20],
  ])(
    "surprise-C1 see the current state, at %i bit/s and a demand of 18,000, for %i s",
    async (bitsPerSecond, seconds) => {
      const world = new LinksWorld({ ...crowd, players: 40, bitsPerSecond })
      await world.run(seconds * 1_000)
      const { agesMs, roundTripsMs } = world.figures
      expect(agesMs.length).toBeGreaterThan((40 * (seconds - 3) * 1_000) / 50)
      expect(most(agesMs)).toBeLessThanOrEqual(boundMs)
      // Requests wait at most for the data under way.
      expect(most(roundTripsMs)).toBeLessThanOrEqual(boundMs)
      expect(roundTripsMs.length).toBeGreaterThan((40 * (seconds - 6)) / 2)
      const stats = world.server.stats()
      expect(stats).toMatchObject({
        attached: 40,
        sessionsOpened: 40,
        slowConsumersClosed: 0,
        sessionsDetached: 0,
      })
      expect(stats.viewersConflated).toBeGreaterThan(40)
      expect(world.errors).toEqual([])
    },
  )
})

describe("a client on a slow link", { timeout: 60_000 }, () => {
  it("surprise-C1 gets a backlog if its version does not acknowledge state", async () => {
    const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond: 10_000, areOld: true })
    await world.run(20_000)
    expect(most(world.figures.agesMs)).toBeGreaterThan(6_000)
    expect(world.server.stats()).toMatchObject({ viewersConflated: 0, stateUnacknowledgedBytes: 0 })
    expect(world.errors).toEqual([])
  })

  it("surprise-C1 sees both its replicas and its keyed values, though either alone is too much", async () => {
    const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond: 10_000 })
    const moods = new Map<number, number>()
    const moodAgesMs: number[] = []
    world.players[0]?.client.on("mood", ({ who, atMs }) => moods.set(who, atMs))
    const shout = (tick: number): void => {
      const nowMs = Math.round(world.clock.now())
      for (let who = 0; who < 6; who += 1) world.server.broadcast("mood", { who, atMs: nowMs })
      world.server.broadcast("spark", { n: tick })
      moodAgesMs.push(nowMs - Math.min(...moods.values()))
    }
    // A link of unknown rate gets a burst of events first.
    await world.run(8_000, shout)
    world.sampleAnew()
    moodAgesMs.length = 0
    await world.run(40_000, shout)
    expect(most(world.figures.agesMs)).toBeLessThanOrEqual(1.5 * boundMs)
    expect(most(moodAgesMs)).toBeLessThanOrEqual(1.5 * boundMs)
    expect(most(world.figures.roundTripsMs)).toBeLessThanOrEqual(boundMs)
    expect(world.server.stats().volatileDropped).toBeGreaterThan(0)
    expect(world.errors).toEqual([])
  })

  it("surprise-C1 is not closed while it acknowledges anything, though a snapshot takes three seconds", async () => {
    const limits = { ackProgressMs: 6_000 }
    const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond: 1_500, limits, areSilent: true })
    await world.run(60_000)
    // The view is always behind, and always gets updates.
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, sessionsDetached: 0, conflated: 1 })
    expect(most(world.figures.agesMs)).toBeLessThan(12_000)
  })

  it("surprise-C1 sees the current state soon after its link has become slow, and all of it when the link is fast again", async () => {
    const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond: 10_000_000 })
    await world.run(10_000)
    world.sampleAnew()
    world.setRate(10_000)
    await world.run(20_000)
    expect(most(world.figures.agesMs)).toBeLessThanOrEqual(boundMs)
    world.setRate(10_000_000)
    await world.run(3_000)
    world.sampleAnew()
    const before = world.server.stats()
    await world.run(10_000)
    expect(most(world.figures.agesMs)).toBeLessThanOrEqual(latencyMs + tickMs)
    expect(world.server.stats().replicaUpdatesConflated).toBe(before.replicaUpdatesConflated)
  })

  it("surprise-C1 is closed when it acknowledges nothing more, with few bytes under way", async () => {
    const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond: 1_000_000 })
    await world.run(5_000)
    const [socket] = world.network.sockets
    socket?.pipeFrom("client").block()
    // The client finds the dead connection first, and would reconnect.
    world.network.stopServing()
    await world.run(10_000)
    const { stateUnacknowledgedBytes, stateOldestMs, conflated } = world.server.stats()
    expect(stateUnacknowledgedBytes).toBeLessThan(8_000)
    expect([Math.round(stateOldestMs / 1_000), conflated]).toEqual([10, 1])
    await world.run(80_000)
    const { slowConsumersClosed, silentConnectionsClosed } = world.server.stats()
    expect(slowConsumersClosed + silentConnectionsClosed).toBe(1)
  })

  it("surprise-C1 keeps its view while its timers run once a minute: acknowledgements need no timer", async () => {
    const onceAMinute = (clock: Clock): Clock => ({
      now: () => clock.now(),
      schedule: (ms, callback) =>
        clock.schedule(Math.ceil((clock.now() + ms) / 60_000) * 60_000 - clock.now(), callback),
    })
    for (const bitsPerSecond of [20_000, 10_000_000]) {
      const world = new LinksWorld({ ...crowd, players: 1, bitsPerSecond, clientClock: onceAMinute })
      await world.run(150_000)
      expect(most(world.figures.agesMs)).toBeLessThanOrEqual(boundMs)
      expect(world.server.stats()).toMatchObject({ sessionsOpened: 1, sessionsDetached: 0 })
    }
  })
})

describe("a client on a fast link with a long round trip", { timeout: 60_000 }, () => {
  it("surprise-C1 gets every update of a large world, as without acknowledgements", async () => {
    const run = async (areOld: boolean) => {
      const large = { walkers: 20, lookLength: 1_000, looksChange: true }
      const world = new LinksWorld({ ...large, players: 1, bitsPerSecond: 100_000_000, latencyMs, areOld })
      await world.run(2_000)
      const early = world.server.stats()
      world.sampleAnew()
      await world.run(6_000)
      const { replicaFramesSent, replicaUpdatesConflated, stateUnacknowledgedBytes } = world.server.stats()
      return {
        heldBack: early.replicaUpdatesConflated,
        laterHeldBack: replicaUpdatesConflated - early.replicaUpdatesConflated,
        frames: replicaFramesSent - early.replicaFramesSent,
        oldestMs: most(world.figures.agesMs),
        isCounted: stateUnacknowledgedBytes > 0,
      }
    }
    const [old, now] = [await run(true), await run(false)]
    expect(old).toEqual({ ...now, heldBack: 0, isCounted: false })
    expect(now).toMatchObject({ laterHeldBack: 0, isCounted: true })
    // Until the first round trip has shown the rate: about TCP's own delay.
    expect(now.heldBack * tickMs).toBeLessThanOrEqual(3 * roundTripMs)
  })
})
