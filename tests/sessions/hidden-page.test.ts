// A client in a hidden page, whose timers browsers hold back for up to a minute while its messages arrive: real ends over
// an in-memory network, on a simulated clock.
import type { Client, SessionEvent } from "@hawser/client"
import type { ServerLimits } from "@hawser/protocol"
import { SimulatedProcess } from "@hawser/protocol/testing"
import type { Throttle } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, watchStatus } from "../faults/harness.ts"
import type { TestContract, World } from "../faults/harness.ts"

/** As Chromium does with intensive throttling, and as a browser would that makes no difference between timers. */
const throttles: readonly (readonly [string, Throttle])[] = [
  ["chains of timers run once a minute", { chainedMs: 60_000, freshMs: 1_000 }],
  ["all timers run once a minute", { chainedMs: 60_000, freshMs: 60_000 }],
]

interface HiddenPage {
  readonly world: World
  readonly client: Client<TestContract>
  readonly page: SimulatedProcess
  readonly events: SessionEvent[]
}

/** Opens a client, lets it rest for a while, and hides its page. */
async function hide(throttle: Throttle, limits: Partial<ServerLimits> = {}): Promise<HiddenPage> {
  const world = createWorld({ profile: "hawser.1", latencyMs: 20, limits })
  const page = new SimulatedProcess(world.clock)
  const client = world.client({ clock: page })
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  const connected = client.connect()
  await world.clock.advance(10_200)
  await connected
  page.throttle(throttle)
  return { world, client, page, events }
}

describe.each(throttles)("a hidden page in which %s", (_, throttle) => {
  it("surprise-A1 keeps its connection through 170 s with an event every 4 s, and acknowledges as they arrive", async () => {
    const { world, client, events } = await hide(throttle, { ackProgressMs: 30_000 })
    const statuses = watchStatus(client)
    const heardAtMs: number[] = []
    client.on("note", () => heardAtMs.push(world.clock.now()))
    const sentAtMs: number[] = []
    let mostBuffered = 0
    for (let count = 0; count < 45; count += 1) {
      world.server.broadcast("note", { text: `${count}` })
      sentAtMs.push(world.clock.now())
      await world.clock.advance(4_000)
      mostBuffered = Math.max(mostBuffered, world.server.stats().bufferedMessages)
    }
    expect(heardAtMs).toEqual(sentAtMs.map((atMs) => atMs + 20))
    expect(mostBuffered).toBeLessThanOrEqual(2)
    expect([statuses, events.map(({ kind }) => kind)]).toEqual([[], ["opened"]])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 0, silentConnectionsClosed: 0 })
  })
})
