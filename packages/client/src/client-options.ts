// The options of `createClient`, and what the client works with: checked, filled up with defaults, and guarded against what
// the application's own functions throw.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type { Dial, Profile } from "@hawser/protocol/core"
import { checkLimits } from "./base/check-limits.ts"
import { describeValue, guardedClock, guardedNumber, guardedRandom, guardedSource } from "./base/injected.ts"
import { guardedReporter, reportToHost } from "./base/report.ts"
import { pageLeaveSource } from "./session/leave.ts"
import type { LeaveSource } from "./session/leave.ts"
import { exponential, noReconnect } from "./session/strategies.ts"
import type { ReconnectStrategy } from "./session/strategies.ts"
import type { TokenSource } from "./session/tokens.ts"
import { pageWakeSource } from "./session/wake.ts"
import type { WakeSource } from "./session/wake.ts"
import { systemClock } from "./base/system.ts"
import { isRelative, socketUrl } from "./port/socket-url.ts"
import { askFirst } from "./transport/ask-first.ts"
import { pageAsk } from "./transport/page-ask.ts"
import { globalWebSocket, webSocketDial } from "./transport/web-socket.ts"
import type { WebSocketConstructor } from "./transport/web-socket.ts"

export interface ClientOptions {
  /**
   * The server's address, such as `wss://example.com/ws`. In a page it may be relative (`/ws`); `http(s):` becomes
   * `ws(s):`. An address that can never work throws at `createClient`. With `dial` it is passed on as it is.
   */
  readonly url: string
  /**
   * A token, or a function that returns one or a promise of one. Called before every attempt, within the dial budget
   * (`limits.dialBurst`, `dialsPerMinute`), and when the server asks for a fresh token, one call at a time. A token that
   * was refused is not sent again. If it throws, the attempt
   * has failed, with the error's own `retry` where it is a HawserError. If it returns anything but a text that is not
   * empty, the client closes with `auth_token_invalid`.
   */
  readonly token: TokenSource
  /** Default: the global WebSocket. Node 20 has none: pass the one of `ws`. Looked up at each dial. */
  readonly webSocket?: WebSocketConstructor
  /** Instead of a WebSocket: any transport. */
  readonly dial?: Dial
  /** Default `exponential()`; false never reconnects. */
  readonly reconnect?: ReconnectStrategy | false
  /** Default `hawser.1`. */
  readonly profile?: Profile
  readonly limits?: Partial<ClientLimits>
  /** Connect as soon as the current task is done. Default true. */
  readonly autoConnect?: boolean
  /**
   * Called with errors that no call of the application rejects with: what its functions throw (listeners, validators, the
   * token function, a strategy, a clock, …), events that do not fit the contract, replies without a request. If it throws
   * itself, both errors go to the default: `reportError`, or the console where that is missing.
   */
  readonly onError?: (error: unknown) => unknown
  /** Reports moments to doubt the connection. Default: events of the page. A sleep of the machine is noticed anyway. */
  readonly wakeSource?: WakeSource
  /**
   * Reports that the page is left. Default: `pagehide` and `freeze` of the page. `gone` ends the session at once (BYE);
   * `cached` ends the connection, and the session is resumed when the page is shown again.
   */
  readonly leaveSource?: LeaveSource
  /** Monotonic time and timers. Default: `performance.now` and `setTimeout`. */
  readonly clock?: Clock
  /** Wall-clock milliseconds since 1970: a jump of it is how the sleep of some machines shows. Default `Date.now`. */
  readonly wallClockMs?: () => number
  /** From 0 up to 1, for jitter and the client's id, which is no secret. Default `Math.random`. */
  readonly random?: () => number
}

/** Dependencies of `RunningClient` and the façade. */
interface Dependencies {
  readonly url: string
  readonly profile: Profile
  readonly dial: Dial
  readonly clock: Clock
  readonly random: () => number
  readonly wallClockMs: () => number
  readonly limits: ClientLimits
  readonly strategy: ReconnectStrategy
  readonly wakeSource: WakeSource
  readonly leaveSource: LeaveSource
  readonly onError: (error: unknown) => void
}

/**
 * @throws TypeError for an address that can never work, for a runtime without a WebSocket, and for a `webSocket` that is no
 * constructor.
 * @throws RangeError that names a limit which cannot be kept, or does not exist.
 */
export function dependenciesOf(options: ClientOptions): Dependencies {
  const { webSocket, reconnect, clock, random, wallClockMs, wakeSource, leaveSource } = options
  const onError = guardedReporter(options.onError ?? reportToHost)
  if (webSocket !== undefined && typeof webSocket !== "function") {
    const advice = "pass the class, such as the WebSocket of the package ws"
    throw new TypeError(`webSocket is ${describeValue(webSocket)}, not a constructor: ${advice}`)
  }
  if (options.dial === undefined) assertCanDial(options)
  const ownClock = clock === undefined ? systemClock : guardedClock(clock, onError)
  const socketDial = webSocketDial(() => webSocket ?? globalWebSocket())
  return {
    url: options.url,
    profile: options.profile ?? "hawser.1",
    dial: options.dial ?? askFirst(socketDial, { clock: ownClock, ask: pageAsk() }),
    clock: ownClock,
    random: random === undefined ? Math.random : guardedRandom(random, onError),
    wallClockMs:
      wallClockMs === undefined
        ? Date.now
        : guardedNumber(wallClockMs, { name: "wallClockMs", fallback: Date.now, onError }),
    limits: checkLimits(options.limits),
    strategy: reconnect === false ? noReconnect : (reconnect ?? exponential()),
    wakeSource: guardedSource(wakeSource ?? pageWakeSource, onError),
    leaveSource: guardedSource(leaveSource ?? pageLeaveSource, onError),
    onError,
  }
}

/** A client that waits for `connect()` may be created where there is no page and no WebSocket, as on a page's server. */
function assertCanDial({ url, webSocket, autoConnect = true }: ClientOptions): void {
  if (autoConnect || typeof url !== "string" || !isRelative(url)) socketUrl(url)
  if (autoConnect && webSocket === undefined) globalWebSocket()
}
