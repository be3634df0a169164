// The limits that hold requests back: one of the server, from its notices, and the client's own send buffer. Writes the error of
// a request that has met its deadline. Must not know the queue.
import { HawserError } from "@hawser/protocol"
import type { PendingRequest } from "./pending-request.ts"

/** A request at its deadline. */
export interface Overdue {
  readonly name: string
  readonly timeoutMs: number
  readonly state: PendingRequest["state"]
  readonly nowMs: number
}

interface Hold {
  readonly limit: string
  readonly sinceMs: number
  readonly untilMs: number
}

export class HoldBack {
  #server: Hold | undefined
  /** Time since which the send buffer takes no request; undefined while it does. */
  #fullSinceMs: number | undefined

  /** Notes that a limit of the server delays the requests for `forMs` from `nowMs`. */
  throttled(limit: string, forMs: number, nowMs: number): void {
    const last = this.#server
    const sinceMs = last !== undefined && last.untilMs >= nowMs ? last.sinceMs : nowMs
    this.#server = { limit, sinceMs, untilMs: nowMs + forMs }
  }

  /** Notes whether the send buffer took a request. */
  offered(isFull: boolean, nowMs: number): void {
    if (!isFull) this.#fullSinceMs = undefined
    else this.#fullSinceMs ??= nowMs
  }

  /** Returns the error of a request at its deadline. It names the limit that held the request, if one did. */
  timeout(request: Overdue): HawserError {
    const { name, timeoutMs, state } = request
    const outcome =
      state === "sent"
        ? `"${name}" got no reply within ${timeoutMs} ms; its outcome is unknown`
        : `"${name}" was not sent within ${timeoutMs} ms, and the server has not executed it`
    const { message, ...details } = this.#cause(request)
    return new HawserError("timeout", {
      message: `${outcome}${message}`,
      ...("limit" in details ? { details } : {}),
    })
  }

  #cause({ timeoutMs, state, nowMs }: Overdue): {
    readonly message: string
    readonly limit?: string
    readonly heldMs?: number
  } {
    if (state === "waiting") return { message: ": no connection was open" }
    const calledAtMs = nowMs - timeoutMs
    const server = this.#server
    if (server !== undefined && server.untilMs > calledAtMs) {
      const { limit } = server
      const heldMs = Math.round(Math.min(nowMs, server.untilMs) - Math.max(calledAtMs, server.sinceMs))
      const message = `. The server's limit ${limit} held this user's messages back for at least ${heldMs} ms of this time: send fewer, or raise limits.${limit} of createServer`
      return { message, limit, heldMs }
    }
    if (state === "sent") return { message: "" }
    if (this.#fullSinceMs === undefined) return { message: ": the connection took no more messages" }
    const limit = "sendBufferMaxCount"
    const heldMs = Math.round(nowMs - Math.max(calledAtMs, this.#fullSinceMs))
    const message = `: the send buffer was full for ${heldMs} ms (limits.${limit}, limits.sendBufferMaxBytes); await the replies before further calls`
    return { message, limit, heldMs }
  }
}
