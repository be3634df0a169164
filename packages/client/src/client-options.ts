// The options of `createClient`, and the client's dependencies made of them: checked, with defaults, and guarded against
// errors of the application's functions. Must not know sessions, topics or listeners.
import type { ChosenLimits, ClientLimits, Clock } from "@hawser/protocol"
import { TimerQueue, assertOptions, quoted } from "@hawser/protocol/core"
import type { Dial, OptionTable } from "@hawser/protocol/core"
import { checkLimits } from "./base/check-limits.ts"
import { describeValue, guardedClock, guardedNumber, guardedRandom, guardedSource } from "./base/injected.ts"
import { consoleErrors, guardedReporter } from "./base/report.ts"
import type { Dialect } from "./session/dialect.ts"
import { compactDialect } from "./session/compact-dialect.ts"
import { pageLeaveSource } from "./session/leave.ts"
import type { LeaveSource } from "./session/leave.ts"
import type { Dependencies } from "./session/run-client-options.ts"
import { exponential, guarded, noReconnect } from "./session/strategies.ts"
import type { ReconnectStrategy } from "./session/strategies.ts"
import type { TokenSource } from "./session/tokens.ts"
import { pageWakeSource } from "./session/wake.ts"
import type { WakeSource } from "./session/wake.ts"
import { systemClock } from "./base/system.ts"
import { isRelative, socketUrl } from "./port/socket-url.ts"
import { globalWebSocket, webSocketDial } from "./transport/web-socket.ts"
import type { WebSocketConstructor } from "./transport/web-socket.ts"

/** Options of `createClient`. */
export interface ClientOptions {
  /**
   * Address of the server, such as `wss://example.com/ws`. It may be relative in a page (`/ws`); `http(s):` becomes
   * `ws(s):`. `createClient` throws a TypeError for an address that no WebSocket can use. A custom `dial` gets it unchanged.
   */
  readonly url: string
  /**
   * Token, or a function that returns a token or a promise of one. The client calls the function before each attempt, within
   * the dial budget (`limits.dialBurst`, `limits.dialsPerMinute`), and when the server requests a fresh token; one call at a
   * time. A renewal without a fresh token is repeated every 10 s. A refused token is not sent again. If the function throws,
   * the attempt fails with the error's `retry`, or `later` for an error that is no HawserError. Any result but non-empty text
   * closes the client with `auth_token_invalid`.
   */
  readonly token: TokenSource
  /** WebSocket class. Default: the global one, read at each dial. Node 20 has none: pass `WebSocket` of the package `ws`. */
  readonly webSocket?: WebSocketConstructor
  /** Transport that replaces the WebSocket. Default: `webSocket`. */
  readonly dial?: Dial
  /** Delays between attempts. Default `exponential()`; false: the client closes at the first failure. */
  readonly reconnect?: ReconnectStrategy | false
  /** Wire profile. Default `hawser.1`. Another one is a function of its own entry point: `profile20()`. */
  readonly profile?: Dialect
  /**
   * True: the client validates replies, items, events and presence states by the contract, for development. A reply that does not
   * fit rejects with `invalid_reply`; an event or state goes to `onError`. Default false: the server has validated them.
   */
  readonly validateReplies?: boolean
  /**
   * Limits that replace the defaults (`defaultClientLimits`); groups such as `message` may be partial. A RangeError names one
   * that is out of range, a TypeError an unknown one.
   */
  readonly limits?: ChosenLimits<ClientLimits>
  /** True: the client connects at the end of the current task. Default true; false: it waits for `connect()`. */
  readonly autoConnect?: boolean
  /**
   * Called with errors that no call of the application rejects with: errors of its functions (listeners, validators, the
   * token function, a strategy, a clock), events that do not match the contract, replies without a request. If it throws or
   * rejects, both errors go to the console. Default: `console.error` with the stack; equal sentences ten times a minute, then with
   * their number.
   */
  readonly onError?: (error: unknown) => unknown
  /**
   * Source of moments at which the client probes the connection. Default: events of the page. The client detects sleep itself.
   */
  readonly wakeSource?: WakeSource
  /**
   * Source of the page's end. Default: `pagehide` and `freeze` of the page. `gone` ends the session at once (BYE);
   * `cached` ends the connection, and the client resumes the session when the page is shown again.
   */
  readonly leaveSource?: LeaveSource
  /** Monotonic time in milliseconds, and timers. Default: `performance.now` and `setTimeout`. */
  readonly clock?: Clock
  /** Returns wall-clock milliseconds since 1970; a jump reveals the sleep of some machines. Default `Date.now`. */
  readonly wallClockMs?: () => number
  /** Returns a number from 0 up to 1, for jitter and the client's id, which is not secret. Default `Math.random`. */
  readonly random?: () => number
}

const clientOptions: OptionTable<ClientOptions> = {
  url: "any",
  token: "any",
  webSocket: "any",
  dial: "function",
  reconnect: "any",
  profile: "any",
  limits: "any",
  validateReplies: "boolean",
  autoConnect: "boolean",
  onError: "function",
  wakeSource: "function",
  leaveSource: "function",
  clock: "object",
  wallClockMs: "function",
  random: "function",
}

/**
 * Checks the options and fills in the defaults.
 * @throws TypeError for an unknown option or limit, an option of the wrong type, an unusable address, a missing token, a runtime without a
 * WebSocket, a `webSocket` that is no constructor, and a `profile` that is no dialect.
 * @throws RangeError that names a limit that is out of range.
 */
export function dependenciesOf(options: ClientOptions): Dependencies {
  assertOptions("createClient", options, clientOptions)
  const { webSocket, reconnect, clock, random, wallClockMs, wakeSource, leaveSource } = options
  const onError = guardedReporter(options.onError ?? consoleErrors(systemClock))
  if (webSocket !== undefined && typeof webSocket !== "function") {
    const advice = "pass the class, such as the WebSocket of the package ws"
    throw new TypeError(`webSocket is ${describeValue(webSocket)}, not a constructor: ${advice}`)
  }
  if (options.dial === undefined) assertCanDial(options)
  assertToken(options.token)
  assertDialect(options.profile)
  assertStrategy(reconnect)
  const ownClock = clock === undefined ? systemClock : guardedClock(clock, onError)
  const limits = checkLimits(options.limits)
  const strategy = reconnect === false ? noReconnect : (reconnect ?? exponential())
  return {
    url: options.url,
    dialect: options.profile ?? compactDialect,
    validateReplies: options.validateReplies ?? false,
    dial: options.dial ?? webSocketDial(() => webSocket ?? globalWebSocket()),
    clock: ownClock,
    timers: new TimerQueue(ownClock, onError),
    random: random === undefined ? Math.random : guardedRandom(random, onError),
    wallClockMs:
      wallClockMs === undefined
        ? Date.now
        : guardedNumber(wallClockMs, { name: "wallClockMs", fallback: Date.now, onError }),
    limits,
    reconnect: { ...limits, strategy: guarded(strategy, onError) },
    wakeSource: guardedSource(wakeSource ?? pageWakeSource, onError),
    leaveSource: guardedSource(leaveSource ?? pageLeaveSource, onError),
    onError,
  }
}

/** Allows a client that waits for `connect()` without a page and a WebSocket, as in server-side rendering. */
function assertCanDial({ url, webSocket, autoConnect = true }: ClientOptions): void {
  if (autoConnect || typeof url !== "string" || !isRelative(url)) socketUrl(url)
  if (autoConnect && webSocket === undefined) globalWebSocket()
}

/** @throws TypeError for a value that untyped code passes, such as an unset variable of the environment. */
function assertToken(token: unknown): void {
  if (typeof token !== "string" && typeof token !== "function")
    throw new TypeError(`token is ${describeValue(token)}: pass a string, or a function that returns one`)
}

/** @throws TypeError for a value that untyped code passes, such as a number of milliseconds. */
function assertStrategy(chosen: unknown): void {
  if (chosen === undefined || chosen === false || typeof chosen === "function") return
  const advice =
    "pass a strategy such as exponential(), linear() or fixed({ baseMs: 1000 }), or false for none"
  throw new TypeError(`reconnect is ${quoted(chosen)}: ${advice}`)
}

/** @throws TypeError for a value that untyped code passes, such as the name of a profile. */
function assertDialect(chosen: unknown): void {
  if (chosen === undefined || (typeof chosen === "object" && chosen !== null)) return
  const advice = "pass profile20() from @hawser/client/profile20, or nothing for hawser.1"
  throw new TypeError(`profile is ${quoted(chosen)}: ${advice}`)
}
