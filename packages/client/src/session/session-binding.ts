// The current session of a client, and the connection that it is bound to. Ends them: a failed connection, a session that
// both ends disagree about, a session that is over. Must not know tokens, listeners or when the client dials.
import { HawserError } from "@hawser/protocol"
import { errorWithCode } from "@hawser/protocol/core"
import type { Requests } from "../calls/requests.ts"
import { noCounts } from "./client-session.ts"
import type { ClientSession, SessionCounts } from "./client-session.ts"
import type { Heartbeat } from "./heartbeat.ts"
import type { Link, Links } from "./links.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import type { Supervisor } from "./supervisor.ts"

export interface SessionBindingOptions extends Pick<
  RunClientOptions,
  "timers" | "counters" | "tallies" | "replicas" | "onSession"
> {
  readonly supervisor: Supervisor
  readonly links: Links
  readonly requests: Requests
  readonly heartbeat: Heartbeat
}

export class SessionBinding {
  readonly #options: SessionBindingOptions
  /** The connection that the session is bound to, or that HELLO was sent on. */
  link: Link | undefined
  session: ClientSession | undefined
  #cancelMove: () => void = () => {}

  constructor(options: SessionBindingOptions) {
    this.#options = options
  }

  get counts(): SessionCounts {
    return this.session?.counts ?? noCounts
  }

  /** Unbinds the connection before its socket closes: later events of the socket have no effect. */
  unbind(): void {
    const { heartbeat, replicas } = this.#options
    this.link = undefined
    this.#cancelMove()
    this.session?.detach()
    replicas.detach(heartbeat.receivedAtMs)
    heartbeat.stop()
  }

  /** Moves to another connection after `ms` milliseconds. A later call replaces an earlier one. */
  moveIn(ms: number): void {
    this.#cancelMove()
    this.#cancelMove = this.#options.timers.after(ms, () => this.#options.supervisor.step({ kind: "move" }))
  }

  sendBye(): void {
    this.session?.sendControl({ kind: "bye", code: "client_closed", message: "" })
  }

  /** Reports the current connection as failed. */
  fail(error: HawserError): void {
    if (this.link !== undefined)
      this.#options.supervisor.step({ kind: "failed", dial: this.link.dial, error })
  }

  /** Ends the session at both ends with RESET, because they disagree about it. The client then opens a new session. */
  reset(cause: HawserError): void {
    const { links, supervisor } = this.#options
    const link = this.link
    this.session?.sendControl({ kind: "reset", cause: cause.code, count: this.counts.received })
    this.end(cause)
    if (link === undefined) return
    const error = errorWithCode(cause.code, { message: cause.message, retry: "later" })
    supervisor.step({ kind: "failed", dial: link.dial, error }, () => links.close(link.dial, cause.code))
  }

  /** Ends the session at this end, and emits `reset` with the requests whose outcome is unknown. */
  end(cause: HawserError): void {
    const { counters, tallies, requests, onSession } = this.#options
    const session = this.session
    if (session === undefined) return
    this.session = undefined
    const unacknowledged = requests.onSessionEnded(session, cause)
    session.end()
    if (cause.code !== "client_closed") {
      counters.sessionsReset += 1
      tallies.sessionsReset.add(cause.code)
    }
    onSession({ kind: "reset", sessionId: session.id, cause: cause.code, unacknowledged })
  }
}
