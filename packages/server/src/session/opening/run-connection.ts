// Runs one connection: its messages go to the log-in, then to the bound session. A closing connection is dropped `closeTimeoutMs` after
// its last byte has left, at the latest after `shutdownMs`. Must not know frames and claims.
import { closeReason, isPageGone, turnNow } from "@hawser/protocol/core"
import type { AcceptedConnection, Connection, ConnectionEvents } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { CapTicket } from "./connection-caps.ts"
import { Login } from "./login.ts"
import type { LoginHost, LoginOwner } from "./login.ts"
import { ServerSession } from "../life/server-session.ts"
import { openSession } from "./open-session.ts"
import type { OpeningHost, Verified } from "./open-session.ts"

/** Parts of a server that all connections share. */
export interface ConnectionHost<User extends AuthenticatedUser> extends LoginHost<User>, OpeningHost<User> {
  readonly onClosed: (connection: RunningConnection<User>) => void
}

/** State of a connection after `close`. */
class Closing<User extends AuthenticatedUser> {
  /** Bound session; undefined if the log-in was not complete. */
  readonly session: ServerSession<User> | undefined
  readonly dropAtMs: number
  /** Cancels the timer that drops the socket. */
  cancelDrop: () => void = noDrop

  constructor(session: ServerSession<User> | undefined, dropAtMs: number) {
    this.session = session
    this.dropAtMs = dropAtMs
  }
}

function noDrop(): void {}

/**
 * State of a connection: its log-in, its session, its end, or undefined after the socket has closed. The object itself is the
 * state, without a wrapper, because every idle connection would keep one.
 */
type State<User extends AuthenticatedUser> = Login<User> | ServerSession<User> | Closing<User> | undefined

export class RunningConnection<User extends AuthenticatedUser> implements ConnectionEvents, LoginOwner<User> {
  readonly connection: Connection
  readonly address: string
  readonly dialect: Dialect<User>
  /** Time of the last message or pong, for the liveness sweep. */
  receivedAtMs: number
  /** Time of the ping without an answer, for the liveness sweep; undefined without one. */
  pingedAtMs: number | undefined
  readonly #host: ConnectionHost<User>
  readonly #ticket: CapTicket
  #state: State<User>

  // oxlint-disable-next-line eslint/max-params -- made in one place
  constructor(
    host: ConnectionHost<User>,
    accepted: AcceptedConnection,
    dialect: Dialect<User>,
    ticket: CapTicket,
  ) {
    this.connection = accepted.connection
    this.address = accepted.address
    this.dialect = dialect
    this.receivedAtMs = host.clock.now()
    this.#host = host
    this.#ticket = ticket
    this.#state = new Login(host, this, accepted.headers)
  }

  /** True if its address has more authenticated connections than `connectionsPerAddress`. */
  get isOneTooMany(): boolean {
    return this.#ticket.isOver
  }

  get session(): ServerSession<User> | undefined {
    const state = this.#state
    if (state instanceof Closing) return state.session
    return state instanceof ServerSession ? state : undefined
  }

  get isClosing(): boolean {
    return this.#state === undefined || this.#state instanceof Closing
  }

  /** True if silence is no sign of a dead peer: the server does not read the socket, or the connection is closing. */
  get isPaused(): boolean {
    return this.isClosing || this.session?.isPaused === true
  }

  admit(verified: Verified<User>): void | Promise<void> {
    this.#ticket.authenticated()
    return openSession(this.#host, { ...verified, connection: this })
  }

  bind(session: ServerSession<User>): void {
    this.#state = session
    this.#host.counters.handshakesAccepted += 1
  }

  message(bytes: Uint8Array): void {
    this.receivedAtMs = turnNow(this.#host.clock)
    const state = this.#state
    if (state instanceof ServerSession) state.receive(bytes)
    else if (state instanceof Login) state.message(bytes)
  }

  text(): void {
    const state = this.#state
    if (state instanceof Login) state.text()
    else if (state instanceof ServerSession)
      state.finish("text_message", { message: "text messages are not part of any profile" })
  }

  drained(): void {
    const state = this.#state
    if (state instanceof ServerSession) state.drained()
    else if (state instanceof Closing) this.#awaitEnd(state)
  }

  pong(): void {
    const nowMs = this.#host.clock.now()
    this.receivedAtMs = nowMs
    if (this.pingedAtMs !== undefined && this.pingedAtMs <= nowMs)
      this.session?.answeredPing(nowMs - this.pingedAtMs)
  }

  closed(code: number, reason: string): void {
    const state = this.#state
    if (state === undefined) return
    const { session } = this
    this.#state = undefined
    if (state instanceof Closing) state.cancelDrop()
    else if (state instanceof Login) {
      this.#host.counters.handshakesAbandoned += 1
      state.end()
    }
    this.#ticket.release()
    const { resumeWindowMs, leaveWindowMs } = this.#host.limits
    const windowMs = isPageGone(code, reason) ? Math.min(leaveWindowMs, resumeWindowMs) : resumeWindowMs
    session?.detach(this, windowMs)
    this.#host.onClosed(this)
  }

  /** Closes with the dialect's close code. */
  close(code: string, message: string): void {
    if (this.isClosing) return
    const { clock, limits } = this.#host
    const state = this.#state
    const closing = new Closing(this.session, clock.now() + limits.shutdownMs)
    this.#state = closing
    if (state instanceof Login) state.end()
    const { connection } = this
    const reason = closeReason(message)
    if (code === "connection_lost") connection.terminate()
    else connection.close(this.dialect.closeCode(code), reason)
    connection.resume()
    connection.awaitDrain?.()
    this.#awaitEnd(closing)
  }

  /** Terminates the socket `closeTimeoutMs` after its buffer is empty, at `dropAtMs` at the latest. */
  #awaitEnd(closing: Closing<User>): void {
    const { clock, timers, limits } = this.#host
    const { connection } = this
    const { dropAtMs } = closing
    closing.cancelDrop()
    if (this.#state !== closing) return
    closing.cancelDrop = timers.at(Math.min(clock.now() + limits.closeTimeoutMs, dropAtMs), () => {
      if (connection.bufferedBytes === 0 || clock.now() >= dropAtMs) connection.terminate()
      else this.#awaitEnd(closing)
    })
  }
}
