// One socket: its messages go to its login until there is a session, then to the session. Sees to it that
// the socket really ends.
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

export interface ConnectionHost<User extends AuthenticatedUser> extends LoginHost<User> {
  readonly limits: ServerLimits
  /** Binds a session to the connection. Throws, or rejects with, a HawserError if the user may not have one. */
  readonly openSession: (admitted: Admitted<User>) => void | Promise<void>
  readonly onClosed: (connection: RunningConnection<User>) => void
}

export class RunningConnection<User extends AuthenticatedUser>
  implements ConnectionEvents, LoginOwner<User>, OpeningConnection<User>
{
  readonly connection: Connection
  readonly address: string
  readonly dialect: Dialect<User>
  /** Any sign of life, for the liveness sweep. */
  heardAtMs: number
  pingedAtMs: number | undefined
  readonly #host: ConnectionHost<User>
  readonly #ticket: CapTicket
  /** Undefined once there is a session, or will never be one. */
  #login: Login<User> | undefined
  #session: ServerSession<User> | undefined
  #phase: "open" | "closing" | "closed" = "open"
  /** While closing: when the peer's time is over, whatever still waits for it. */
  #dropAtMs: number | undefined
  #cancelDrop: (() => void) | undefined

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
    this.heardAtMs = host.clock.now()
    this.#host = host
    this.#ticket = ticket
    this.#login = new Login(host, this)
  }

  /** True when a new session on it would be one too many of its address. */
  get isOneTooMany(): boolean {
    return this.#ticket.isOver
  }

  get session(): ServerSession<User> | undefined {
    return this.#session
  }

  get isClosing(): boolean {
    return this.#phase !== "open"
  }

  /** True when silence proves nothing: this end does not read, or is closing and waits by another deadline. */
  get isPaused(): boolean {
    return this.isClosing || this.#session?.isPaused === true
  }

  admit(user: User, hello: HelloFrame): void | Promise<void> {
    this.#ticket.authenticated()
    return this.#host.openSession({ user, connection: this, hello })
  }

  bind(session: ServerSession<User>): void {
    this.#session = session
    // A token is long, and the log-in is not needed again.
    this.#login = undefined
    this.#host.counters.handshakesAccepted += 1
  }

  message(bytes: Uint8Array): void {
    this.heardAtMs = turnNow(this.#host.clock)
    if (this.isClosing) return
    if (this.#session === undefined) this.#login?.message(bytes)
    else this.#session.receive(bytes)
  }

  text(): void {
    if (this.isClosing) return
    if (this.#session !== undefined)
      this.#session.finish("text_message", { message: "text messages are not part of any profile" })
    else this.#login?.text()
  }

  drained(): void {
    if (this.isClosing) this.#awaitEnd()
    else this.#session?.drained()
  }

  pong(): void {
    const nowMs = this.#host.clock.now()
    this.heardAtMs = nowMs
    if (this.pingedAtMs !== undefined && this.pingedAtMs <= nowMs)
      this.#session?.answeredPing(nowMs - this.pingedAtMs)
  }

  closed(code: number, reason: string): void {
    if (this.#phase === "closed") return
    if (this.#phase === "open" && this.#session === undefined) this.#host.counters.handshakesAbandoned += 1
    this.#phase = "closed"
    this.#cancelDrop?.()
    this.#endLogin()
    this.#ticket.release()
    const { resumeWindowMs, leaveWindowMs } = this.#host.limits
    const windowMs = isPageGone(code, reason) ? Math.min(leaveWindowMs, resumeWindowMs) : resumeWindowMs
    this.#session?.detach(this, windowMs)
    this.#host.onClosed(this)
  }

  /** Closes with the close code that the dialect has for this code. */
  close(code: string, message: string): void {
    if (this.isClosing) return
    this.#phase = "closing"
    this.#endLogin()
    const { connection } = this
    const reason = closeReason(message)
    if (code === "connection_lost") connection.terminate()
    else connection.close(this.dialect.closeCode(code), reason)
    connection.resume()
    connection.awaitDrain?.()
    this.#awaitEnd()
  }

  /** A slow peer gets time for what waits; one that has it all and does not answer the closing handshake is dropped. */
  #awaitEnd(): void {
    const { clock, timers, limits } = this.#host
    const { connection } = this
    this.#cancelDrop?.()
    if (this.#phase === "closed") return
    const dropAtMs = (this.#dropAtMs ??= clock.now() + limits.shutdownMs)
    this.#cancelDrop = timers.at(Math.min(clock.now() + limits.closeTimeoutMs, dropAtMs), () => {
      if (connection.bufferedBytes === 0 || clock.now() >= dropAtMs) connection.terminate()
      else this.#awaitEnd()
    })
  }

  #endLogin(): void {
    this.#login?.end()
    this.#login = undefined
  }
}
