// System clock and random session ids.
import { randomBytes } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { Clock } from "@hawser/protocol"

let turnMs: number | undefined

function forgetTurn(): void {
  turnMs = undefined
}

/** Monotonic milliseconds and real timers. `turnNow` reads the clock once in each iteration of the event loop. */
export const systemClock: Clock = {
  now: () => performance.now(),
  turnNow() {
    if (turnMs === undefined) {
      turnMs = performance.now()
      setImmediate(forgetTurn)
    }
    return turnMs
  },
  afterTurn: (callback) => void setImmediate(callback),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

const idBytes = 16
const idsPerDraw = 256

/** Returns a generator of ids: 128 random bits, 22 characters. Random bytes are drawn for 256 ids at a time, to save system calls. */
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
