// The machine's own clock and randomness behind the ports of the core.
import { randomBytes } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { Clock } from "@hawser/protocol"

let turnMs: number | undefined

function forgetTurn(): void {
  turnMs = undefined
}

/** Monotonic milliseconds and real timers. A turn is what runs until the event loop has been through once. */
export const systemClock: Clock = {
  now: () => performance.now(),
  turnNow() {
    if (turnMs === undefined) {
      turnMs = performance.now()
      setImmediate(forgetTurn)
    }
    return turnMs
  },
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

const idBytes = 16
const idsPerDraw = 256

/** Makes ids of 128 random bits, 22 characters each. Drawn by the hundred: one draw costs as much as opening a session. */
export function randomSessionIds(): () => string {
  let drawn = Buffer.alloc(0)
  let used = 0
  return () => {
    if (used === drawn.length) {
      drawn = randomBytes(idBytes * idsPerDraw)
      used = 0
    }
    used += idBytes
    return drawn.toString("base64url", used - idBytes, used)
  }
}
