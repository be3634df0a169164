// The system's clock behind the port `Clock`. Works in browsers and in Node.
import type { Clock } from "@hawser/protocol"

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
