// Runs one connection: its messages go to the log-in, then to the bound session. A closing connection is dropped `closeTimeoutMs` after
// its last byte has left, at the latest after `shutdownMs`. Must not know frames and claims.
import { closeReason, isPageGone, turnNow } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { AcceptedConnection, Connection, ConnectionEvents, HelloFrame } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { CapTicket } from "./connection-caps.ts"
import { Login } from "./login.ts"
import type { LoginHost, LoginOwner } from "./login.ts"
import type { ServerSession } from "../life/server-session.ts"
import type { Admitted, OpeningConnection } from "./open-session.ts"

/** Parts of a server that all connections share. */
export interface ConnectionHost<User extends AuthenticatedUser> extends LoginHost<User> {
  readonly limits: ServerLimits
  /** Binds a session to the connection. Throws, or rejects with, a HawserError if the session is refused. */
  readonly openSession: (admitted: Admitted<User>) => void | Promise<void>
  readonly onClosed: (connection: RunningConnection<User>) => void
}

type State<User extends AuthenticatedUser> =
  | { readonly kind: "login"; readonly login: Login<User> }
  | { readonly kind: "bound"; readonly session: ServerSession<User> }
  /** `close` was called. `session`: the bound session; undefined before WELCOME. `dropAtMs`: deadline of the socket. */
  | { readonly kind: "closing"; readonly session: ServerSession<User> | undefined; readonly dropAtMs: number }
  | { readonly kind: "closed"; readonly session: ServerSession<User> | undefined }

function noDrop(): void {}

export class RunningConnection<User extends AuthenticatedUser>
  implements ConnectionEvents, LoginOwner<User>, OpeningConnection<User>
{
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
  /** Cancels the timer of a closing connection. */
  #cancelDrop: () => void = noDrop

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
    this.#state = { kind: "login", login: new Login(host, this) }
  }

  /** True if its address has more authenticated connections than `connectionsPerAddress`. */
  get isOneTooMany(): boolean {
    return this.#ticket.isOver
  }

  get session(): ServerSession<User> | undefined {
    return this.#state.kind === "login" ? undefined : this.#state.session
  }

  get isClosing(): boolean {
    return this.#state.kind === "closing" || this.#state.kind === "closed"
  }

  /** True if silence is no sign of a dead peer: the server does not read the socket, or the connection is closing. */
  get isPaused(): boolean {
    return this.isClosing || this.session?.isPaused === true
  }

  admit(user: User, hello: HelloFrame): void | Promise<void> {
    this.#ticket.authenticated()
    return this.#host.openSession({ user, connection: this, hello })
  }

  bind(session: ServerSession<User>): void {
    this.#state = { kind: "bound", session }
    this.#host.counters.handshakesAccepted += 1
  }

  message(bytes: Uint8Array): void {
    this.receivedAtMs = turnNow(this.#host.clock)
    const state = this.#state
    if (state.kind === "login") state.login.message(bytes)
    else if (state.kind === "bound") state.session.receive(bytes)
  }

  text(): void {
    const state = this.#state
    if (state.kind === "login") state.login.text()
    else if (state.kind === "bound")
      state.session.finish("text_message", { message: "text messages are not part of any profile" })
  }

  drained(): void {
    const state = this.#state
    if (state.kind === "closing") this.#awaitEnd(state.dropAtMs)
    else if (state.kind === "bound") state.session.drained()
  }

  pong(): void {
    const nowMs = this.#host.clock.now()
    this.receivedAtMs = nowMs
    if (this.pingedAtMs !== undefined && this.pingedAtMs <= nowMs)
      this.session?.answeredPing(nowMs - this.pingedAtMs)
  }

  closed(code: number, reason: string): void {
    const state = this.#state
    if (state.kind === "closed") return
    if (state.kind === "login") this.#host.counters.handshakesAbandoned += 1
    this.#leave({ kind: "closed", session: this.session })
    this.#cancelDrop()
    this.#ticket.release()
    const { resumeWindowMs, leaveWindowMs } = this.#host.limits
    const windowMs = isPageGone(code, reason) ? Math.min(leaveWindowMs, resumeWindowMs) : resumeWindowMs
    this.session?.detach(this, windowMs)
    this.#host.onClosed(this)
  }

  /** Closes with the dialect's close code. */
  close(code: string, message: string): void {
    if (this.isClosing) return
    const { clock, limits } = this.#host
    const dropAtMs = clock.now() + limits.shutdownMs
    this.#leave({ kind: "closing", session: this.session, dropAtMs })
    const { connection } = this
    const reason = closeReason(message)
    if (code === "connection_lost") connection.terminate()
    else connection.close(this.dialect.closeCode(code), reason)
    connection.resume()
    connection.awaitDrain?.()
    this.#awaitEnd(dropAtMs)
  }

  /** Changes the state, and ends a running log-in. */
  #leave(next: State<User>): void {
    const state = this.#state
    this.#state = next
    if (state.kind === "login") state.login.end()
  }

  /** Drops the peer `closeTimeoutMs` after it has all bytes, at the latest at `dropAtMs`. */
  #awaitEnd(dropAtMs: number): void {
    const { clock, timers, limits } = this.#host
    const { connection } = this
    this.#cancelDrop()
    if (this.#state.kind === "closed") return
    this.#cancelDrop = timers.at(Math.min(clock.now() + limits.closeTimeoutMs, dropAtMs), () => {
      if (connection.bufferedBytes === 0 || clock.now() >= dropAtMs) connection.terminate()
      else this.#awaitEnd(dropAtMs)
    })
  }
}
