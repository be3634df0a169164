// The machine's own clock, randomness and log behind the ports of the core.
import { randomBytes } from "node:crypto"
import { performance } from "node:perf_hooks"
import { debuglog } from "node:util"
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

/** 128 random bits as 22 characters. */
export function randomSessionId(): string {
  return randomBytes(16).toString("base64url")
}

const debug = debuglog("hawser")

/** Where errors go when the application passes no `onError`: `NODE_DEBUG=hawser` shows them. */
export function debugError(error: unknown): void {
  debug("%O", error)
}
