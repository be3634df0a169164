// A server that announces the time of its return (docs/protocol.md: W16, Z7): its clients dial then, and only once.
import { defaultClientLimits } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork, seededRandom, unwatched } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"

const clientCount = 200
/** Milliseconds from the end of the last connection to the first one of the next server. */
const restartMs = 3_000
/** All clients of a test have one address. */
const limits = { connectionsPerAddress: 1_000, dialBurstPerAddress: 10_000, unauthenticatedPerAddress: 1_000 }

interface Restart {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly world: World
  /** Opens the successor of the server. */
  readonly replace: () => void
}

function createRestart(): Restart {
  const clock = new SimulatedClock()
  let current = createWorld({ profile: "hawser.1", clock, limits })
  const network = createMemoryNetwork({
    clock,
    latencyMs: 20,
    accept: (socket) => current.server.accept(socket),
  })
  const world = current
  return {
    clock,
    network,
    world,
    replace() {
      current = createWorld({ profile: "hawser.1", clock, limits })
      network.listening = true
    },
  }
}

/**
 * Ends the server, and starts its successor after `restartMs`. Returns each client's time without a connection, and its
 * dials.
 */
async function restart({ clock, network, world, replace }: Restart, how: { readonly backInMs?: number }) {
  const random = seededRandom(7)
  const clients = Array.from({ length: clientCount }, (_, index) =>
    world.client({ token: `u${index}`, dial: network.dial, random }),
  )
  for (const client of clients) unwatched(client.connect())
  await clock.advance(1_000)
  expect(world.server.stats().sessions).toBe(clientCount)
  const absences: number[] = []
  for (const client of clients) {
    let lostAtMs: number | undefined
    client.onStatus(({ state }) => {
      if (state === "open") absences.push(clock.now() - (lostAtMs ?? 0))
      else lostAtMs ??= clock.now()
    })
  }
  const dialsBefore = clients.reduce((sum, client) => sum + client.stats().dials, 0)
  const closing = world.server.close(how)
  await clock.advance(0)
  network.listening = false
  await clock.advance(1_000)
  await closing
  await clock.advance(restartMs - 1_000)
  replace()
  await clock.advance(60_000)
  const dials = clients.reduce((sum, client) => sum + client.stats().dials, -dialsBefore)
  expect(clients.filter(({ current }) => current.state !== "open")).toEqual([])
  for (const client of clients) client.close()
  return { absences: absences.toSorted((one, other) => one - other), dials }
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * sorted.length) - 1] ?? NaN

it("door-9 reconnects 200 clients within 5 s of a restart of 3 s, by one dial each, and spread", async () => {
  const { absences, dials } = await restart(createRestart(), { backInMs: restartMs })
  expect(absences).toHaveLength(clientCount)
  expect(percentile(absences, 0.95)).toBeLessThanOrEqual(5_000)
  expect(absences[0]).toBeGreaterThanOrEqual(restartMs)
  expect(dials).toBe(clientCount)
  // 5 ms for each of them, and a tenth of the delay: no twentieth of a second has more than a tenth of them.
  const perWindow = new Map<number, number>()
  for (const ms of absences) {
    const window = Math.floor(ms / 50)
    perWindow.set(window, (perWindow.get(window) ?? 0) + 1)
  }
  expect(Math.max(...perWindow.values())).toBeLessThanOrEqual(clientCount / 10)
})

it("door-9 leaves clients to their strategy when it sends no return time", async () => {
  const { absences, dials } = await restart(createRestart(), {})
  expect(dials).toBeGreaterThan(3 * clientCount)
  expect(percentile(absences, 0.95)).toBeGreaterThan(5_000)
})

it("door-9 reconnects later, within the dial budget, when the restart takes longer than announced", async () => {
  const { absences, dials } = await restart(createRestart(), { backInMs: 500 })
  expect(absences).toHaveLength(clientCount)
  expect(dials).toBeLessThanOrEqual((defaultClientLimits.dialBurst + 2) * clientCount)
})

it("door-9 waits no longer than retryAfterMaxMs, and a tenth, for a server that announces years", async () => {
  const { clock, network, world, replace } = createRestart()
  const client = world.client({ dial: network.dial })
  unwatched(client.connect())
  await clock.advance(1_000)
  expect(client.current.state).toBe("open")
  const closing = world.server.close({ backInMs: 1e12, spreadMs: 0 })
  await clock.advance(1_000)
  await closing
  replace()
  await clock.advance(defaultClientLimits.retryAfterMaxMs - 2_000)
  expect(client.current).toMatchObject({ state: "reconnecting", error: { code: "server_shutdown" } })
  await clock.advance(defaultClientLimits.retryAfterMaxMs / 10 + 3_000)
  expect(client.current.state).toBe("open")
  client.close()
})
