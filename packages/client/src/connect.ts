// `client.connect()` with its time limit and its signal. Exactly one outcome settles it. Must not know sockets.
import { HawserError } from "@hawser/protocol"
import { assertOptions } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import { assertTimeoutMs } from "./calls/check-call-options.ts"
import type { RunningClient } from "./session/run-client.ts"
import type { TokenSource } from "./session/tokens.ts"

/** Options of `client.connect()`. */
export interface ConnectOptions {
  /**
   * Token source that replaces the current one. Another text, or another function, is another log-in, also on an open
   * client: the session ends as by `close()`, its requests reject with `client_closed`, earlier calls of `connect` reject
   * with `cancelled`, and a new session begins. Default, and effect of the current source: no change.
   */
  readonly token?: TokenSource
  /**
   * Time to wait for a session, in milliseconds. Default: no limit. At the limit the call rejects with `connection_timeout`,
   * whose cause is the last failure; the client continues its attempts until `close()`. RangeError unless above 0.
   */
  readonly timeoutMs?: number
  /**
   * Aborts the call, which rejects with `cancelled`. The abort closes the client if this call made it connect: if the client
   * was idle or closed, or got another token. Otherwise the client continues, and so does a later log-in with another token.
   * Default: none.
   */
  readonly signal?: AbortSignal
}

const connectOptions: OptionTable<ConnectOptions> = { token: "any", timeoutMs: "any", signal: "object" }

/**
 * Connects within the options' bounds. Rejects with RangeError for a `timeoutMs` that is no number above 0, with TypeError for an
 * unknown option.
 */
export function connectWithin(running: RunningClient, options: ConnectOptions = {}): Promise<void> {
  const { token, timeoutMs, signal } = options
  if (signal?.aborted === true) return Promise.reject(new HawserError("cancelled", { cause: signal.reason }))
  try {
    assertOptions("connect", options, connectOptions)
    assertTimeoutMs(timeoutMs)
  } catch (error) {
    return Promise.reject(error)
  }
  const { state } = running.status
  const isLogIn = token !== undefined && !running.isTokenSource(token)
  const begins = state === "idle" || state === "closed" || isLogIn
  const logIn = running.logIns + (isLogIn ? 1 : 0)
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      cancelTimer()
      signal?.removeEventListener("abort", onAbort)
      then()
    }
    const onAbort = (): void =>
      settle(() => {
        reject(new HawserError("cancelled", { message: "connect() was aborted", cause: signal?.reason }))
        if (begins && running.logIns === logIn) running.close()
      })
    const cancelTimer =
      timeoutMs === undefined
        ? (): void => {}
        : running.timers.after(timeoutMs, () => settle(() => reject(timeoutError(running, timeoutMs))))
    signal?.addEventListener("abort", onAbort, { once: true })
    running.connect(token).then(
      () => settle(resolve),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}

function timeoutError({ status, awaitsToken }: RunningClient, timeoutMs: number): HawserError {
  const cause = "error" in status ? status.error : undefined
  const now = awaitsToken ? "; the token function has not returned" : ""
  const last = cause === undefined ? now : `${now}; last: ${cause.message}`
  const message = `no session within ${timeoutMs} ms (timeoutMs); the client continues its attempts until close()${last}`
  return new HawserError("connection_timeout", { message, cause })
}
