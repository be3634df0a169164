// Clock and timers of the page.
import type { Clock } from "@hawser/protocol"

export const pageClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
