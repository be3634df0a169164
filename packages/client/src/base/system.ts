// The machine's own clock behind the port of the core. Works in browsers and in Node.
import type { Clock } from "@hawser/protocol"

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
