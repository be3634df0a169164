// Measures the round trip while the connection is open. A page that is busy with its first snapshot answers late, so
// the first measurement after each `open` waits until the page's timers are punctual.
import type { Client } from "@hawser/client"
import { hasConnection } from "./connection-view.ts"
import type { Clock } from "@hawser/protocol"
import type { WorldContract } from "../contract.ts"
import { pageClock } from "./page-clock.ts"
import type { Store } from "./store.ts"

const everyMs = 2_000
/** A ping without an answer for this time is shown, in whole seconds. */
const silentMs = 3_000
const lookEveryMs = 500
/** A page has settled after `count` consecutive timers of `timerMs` that were at most `lateMaxMs` late. */
const settled = { timerMs: 50, lateMaxMs: 20, count: 3 }
/** A page that does not settle, such as a hidden one, is measured after this time. */
const settleMaxMs = 5_000

export interface RoundTripStores {
  /** Undefined until the first measurement of a connection. */
  readonly roundTripMs: Store<number | undefined>
  /** Whole seconds for which a ping has had no answer, from 3 on. */
  readonly silentSeconds: Store<number | undefined>
}

/** Measures every 2 s while the client is open. Returns the disposer. */
export function measureRoundTrip(
  client: Pick<Client<WorldContract>, "current" | "ping" | "onStatus">,
  { roundTripMs, silentSeconds }: RoundTripStores,
  clock: Clock = pageClock,
): () => void {
  let cancel = (): void => {}
  /** Number of the current connection. Results of an earlier connection are ignored. */
  let connection = 0
  let cancelLook = (): void => {}
  /** Time of the oldest ping without an answer. */
  let askedAtMs: number | undefined

  function measure(): void {
    const measured = connection
    askedAtMs ??= clock.now()
    client.ping().then(
      (ms) => {
        if (measured !== connection) return
        askedAtMs = undefined
        silentSeconds.set(undefined)
        roundTripMs.set(ms)
      },
      // A lost connection has no round trip.
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

  function look(): void {
    const forMs = askedAtMs === undefined ? 0 : clock.now() - askedAtMs
    silentSeconds.set(forMs < silentMs ? undefined : Math.floor(forMs / 1_000))
    cancelLook = clock.schedule(lookEveryMs, look)
  }

  function end(): void {
    connection += 1
    cancel()
    cancelLook()
    askedAtMs = undefined
  }

  function begin(): void {
    end()
    roundTripMs.set(undefined)
    silentSeconds.set(undefined)
    if (!hasConnection(client.current)) return
    look()
    settle(0, clock.now() + settleMaxMs)
  }

  begin()
  const stopListening = onConnection(client, begin)
  return () => {
    end()
    stopListening()
  }
}

/** Calls `changed` with each status, except for a doubt about the same connection and its end. */
function onConnection(
  client: Pick<Client<WorldContract>, "current" | "onStatus">,
  changed: () => void,
): () => void {
  let wasConnected = hasConnection(client.current)
  return client.onStatus((status) => {
    const isConnected = hasConnection(status)
    const isSame = isConnected && wasConnected
    wasConnected = isConnected
    if (!isSame) changed()
  })
}
