// Waits for effects of another process.
import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** Generous, because a loaded machine is not the proxy's fault. */
const waitMs = 20_000

/** Checks every 10 ms. @throws Error after 20 s. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + waitMs
  while (!(await check())) {
    if (performance.now() > endsAtMs)
      throw new Error(`condition not met within ${waitMs} ms: ${String(check)}`)
    await pause(10)
  }
}

/** Resolves when a process listens on this port of 127.0.0.1. */
export async function accepts(port: number): Promise<void> {
  await eventually(async () => {
    const socket = connect(port, "127.0.0.1")
    try {
      await once(socket, "connect")
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  })
}
