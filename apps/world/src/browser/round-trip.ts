// Measures the round trip while the connection is open. A page that is still busy with its first snapshot answers late,
// so the first measurement after each `open` waits until the page's timers come on time.
import type { Client } from "@hawser/client"
import type { Clock } from "@hawser/protocol"
import type { WorldContract } from "../contract.ts"
import type { Store } from "./store.ts"

const everyMs = 2_000
/** A page has settled when so many short timers in a row were hardly late. */
const settled = { timerMs: 50, lateMaxMs: 20, count: 3 }
/** A page that never settles, such as a hidden one, is measured after this time. */
const settleMaxMs = 5_000

const pageClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/**
 * Sets `roundTripMs` every 2 s while the client is open; undefined until the first measurement of a connection. Returns
 * how to stop.
 */
export function measureRoundTrip(
  client: Pick<Client<WorldContract>, "current" | "ping" | "onStatus">,
  roundTripMs: Store<number | undefined>,
  clock: Clock = pageClock,
): () => void {
  let cancel = (): void => {}
  /** Results of an earlier connection do not count. */
  let connection = 0

  function measure(): void {
    const measured = connection
    client.ping().then(
      (ms) => measured === connection && roundTripMs.set(ms),
      // A connection that is lost meanwhile has no round trip.
      () => {},
    )
    cancel = clock.schedule(everyMs, measure)
  }

  function settle(onTimeCount: number, untilMs: number): void {
    const setAtMs = clock.now()
    cancel = clock.schedule(settled.timerMs, () => {
      const nowMs = clock.now()
      const isOnTime = nowMs - setAtMs - settled.timerMs <= settled.lateMaxMs
      const count = isOnTime ? onTimeCount + 1 : 0
      if (count === settled.count || nowMs >= untilMs) measure()
      else settle(count, untilMs)
    })
  }

  function begin(): void {
    connection += 1
    cancel()
    cancel = () => {}
    roundTripMs.set(undefined)
    if (client.current.state === "open") settle(0, clock.now() + settleMaxMs)
  }

  begin()
  const stopListening = client.onStatus(begin)
  return () => {
    connection += 1
    cancel()
    stopListening()
  }
}
