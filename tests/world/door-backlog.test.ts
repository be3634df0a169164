// Connections to a stopped world: the kernel accepts them up to the length of its queue.
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { expect, it, onTestFinished, vi } from "vitest"
import { startWorld } from "./start-world.ts"

/** More than Node's default of 511. */
const count = 900

function queueMax(): number {
  return process.platform === "linux" ? Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) : 0
}

it.skipIf(queueMax() <= count)(
  "door-2 a flood of connections to a stopped world does not delay a later one by a second dial",
  { timeout: 60_000 },
  async () => {
    const world = await startWorld({ program: "compiled" })
    onTestFinished(() => world.remove())
    const port = Number(new URL(world.url).port)
    world.signal("SIGSTOP")
    let connected = 0
    for (let index = 0; index < count; index += 1) {
      const socket = connect(port, "127.0.0.1", () => (connected += 1)).on("error", () => {})
      onTestFinished(() => void socket.destroy())
    }
    // Connections beyond the queue get no answer while the process is stopped.
    await vi.waitFor(() => expect(connected).toBe(count), { timeout: 20_000 })
    world.signal("SIGCONT")
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200)
  },
)
