// Performs on one socket what the admission machine decides, then hands its messages to the session.
// No decisions here: a switch over effects, and the profile's way of closing.
import { closeCode, closeReason, errorTable, isErrorCode, HawserError, turnNow } from "@hawser/protocol"
import type {
  AcceptedConnection,
  Clock,
  Codec,
  Connection,
  ConnectionEvents,
  HelloFrame,
  Profile,
  ServerLimits,
  TimerQueue,
  WireError,
} from "@hawser/protocol"
import type { Authenticate, AuthenticateContext, AuthenticatedUser } from "../authenticate.ts"
import { LazyAbort } from "../calls/lazy-abort.ts"
import { wireError } from "../calls/request-queue.ts"
import type { ServerCounters } from "../counters.ts"
import type { Health } from "../metrics/health.ts"
import { initialAdmission, stepAdmission, wakeAtAdmission } from "./admission.machine.ts"
import type {
  AdmissionEffect,
  AdmissionInput,
  AdmissionOptions,
  AdmissionState,
} from "./admission.machine.ts"
import type { CapTicket } from "./connection-caps.ts"
import type { ServerSession } from "./server-session.ts"
import type { SessionLink } from "./session-host.ts"

/** What is known of a connection whose token is good. */
export interface Admitted<User extends AuthenticatedUser> {
  readonly user: User
  readonly connection: RunningConnection<User>
  readonly hello: HelloFrame
}

export interface ConnectionHost<User extends AuthenticatedUser> {
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly counters: ServerCounters
  readonly health: Health
  readonly authenticate: Authenticate<User>
  readonly onError: (error: unknown) => void
  readonly admission: Readonly<Record<Profile, AdmissionOptions>>
  /** Opens or resumes the session and sends its WELCOME. Throws HawserError when the user may not have one. */
  readonly openSession: (admitted: Admitted<User>) => ServerSession<User>
  readonly onClosed: (connection: RunningConnection<User>) => void
}

export class RunningConnection<User extends AuthenticatedUser> implements ConnectionEvents, SessionLink {
  readonly accepted: AcceptedConnection
  readonly codec: Codec
  /** Any sign of life, for the liveness sweep. */
  heardAtMs: number
  pingedAtMs: number | undefined
  readonly #host: ConnectionHost<User>
  readonly #options: AdmissionOptions
  readonly #ticket: CapTicket
  readonly #aborter = new LazyAbort()
  readonly #held: Uint8Array[] = []
  #admission: AdmissionState
  #cancelWake: () => void = () => {}
  #session: ServerSession<User> | undefined
  #user: User | undefined
  #hello: HelloFrame | undefined
  #open = true
  #closing = false
  /** While closing: when the peer's time is over, whatever still waits for it. */
  #dropAtMs = Number.POSITIVE_INFINITY

  // oxlint-disable-next-line eslint/max-params -- made in one place
  constructor(host: ConnectionHost<User>, accepted: AcceptedConnection, codec: Codec, ticket: CapTicket) {
    this.accepted = accepted
    this.codec = codec
    this.heardAtMs = host.clock.now()
    this.#host = host
    this.#ticket = ticket
    this.#options = host.admission[accepted.profile]
    this.#admission = initialAdmission(this.#options, host.clock.now())
    this.#arm()
  }

  get connection(): Connection {
    return this.accepted.connection
  }

  get address(): string {
    return this.accepted.address
  }

  get session(): ServerSession<User> | undefined {
    return this.#session
  }

  /** True when silence proves nothing: this end does not read, or is closing and waits by another deadline. */
  get isPaused(): boolean {
    return this.#closing || this.#session?.isPaused === true
  }

  message(bytes: Uint8Array): void {
    this.heardAtMs = turnNow(this.#host.clock)
    if (this.#closing) return
    if (this.#session !== undefined) {
      this.#session.receive(bytes)
      return
    }
    const frame = this.codec.decode(bytes, 0)
    this.#step({ kind: "frame", frame, bytes: bytes.length }, bytes)
  }

  text(): void {
    if (this.#closing) return
    if (this.#session !== undefined)
      this.#session.finish("text_message", { message: "text messages are not part of any profile" })
    else this.#step({ kind: "text" })
  }

  drained(): void {
    if (this.#closing) this.#awaitEnd()
    else this.#session?.drained()
  }

  pong(): void {
    this.heardAtMs = this.#host.clock.now()
  }

  closed(): void {
    if (!this.#open) return
    this.#open = false
    if (!this.#closing && this.#session === undefined) this.#host.counters.handshakesAbandoned += 1
    this.#closing = true
    this.#release()
    this.#ticket.release()
    this.#session?.detach(this)
    this.#host.onClosed(this)
  }

  /** Closes by the profile's rules. The close code follows from the error's. */
  close(code: string, message: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#release()
    const { connection } = this.accepted
    const reason = closeReason(message)
    if (code === "connection_lost") connection.terminate()
    else connection.close(this.accepted.profile === "2.0" ? closeCode20(code) : closeCodeOf(code), reason)
    connection.resume()
    connection.awaitDrain?.()
    this.#dropAtMs = this.#host.clock.now() + this.#host.limits.shutdownMs
    this.#awaitEnd()
  }

  /** A slow peer gets time for what waits; one that has it all and does not answer the closing handshake is dropped. */
  #awaitEnd(): void {
    const { clock, timers, limits } = this.#host
    const { connection } = this.accepted
    this.#cancelWake()
    if (!this.#open) return
    this.#cancelWake = timers.at(Math.min(clock.now() + limits.closeTimeoutMs, this.#dropAtMs), () => {
      if (connection.bufferedBytes === 0 || clock.now() >= this.#dropAtMs) connection.terminate()
      else this.#awaitEnd()
    })
  }

  #release(): void {
    this.#cancelWake()
    // Only who still verifies the token may wait for it.
    if (this.#session === undefined) this.#aborter.abort(new HawserError("connection_lost"))
    this.#held.length = 0
  }

  #step(input: AdmissionInput, bytes?: Uint8Array): void {
    const [state, effects] = stepAdmission(this.#options, this.#admission, input)
    this.#admission = state
    for (const effect of effects) this.#perform(effect, bytes)
    if (!this.#closing) this.#arm()
  }

  #arm(): void {
    this.#cancelWake()
    const atMs = wakeAtAdmission(this.#admission)
    if (atMs === undefined) return
    this.#cancelWake = this.#host.timers.at(atMs, () =>
      this.#step({ kind: "wake", nowMs: this.#host.clock.now() }),
    )
  }

  #perform(effect: AdmissionEffect, bytes: Uint8Array | undefined): void {
    switch (effect.kind) {
      case "verify":
        void this.#verify(effect.hello)
        return
      case "hold":
        if (bytes !== undefined) this.#held.push(bytes)
        return
      case "admit":
        this.#admit()
        return
      case "refuse":
        this.#refuse(effect.error, effect.reference, effect.text)
    }
  }

  async #verify(hello: HelloFrame): Promise<void> {
    const { authenticate, onError } = this.#host
    this.#hello = hello
    try {
      this.#user = await authenticate(hello.token, new LoginContext(this.accepted.address, this.#aborter))
      if (!this.#closing) this.#step({ kind: "verified" })
    } catch (error) {
      if (!HawserError.is(error)) onError(error)
      const known = HawserError.is(error) ? error : new HawserError("sys_internal_error")
      if (!this.#closing) this.#step({ kind: "rejected", error: wireError(known) })
    }
  }

  #admit(): void {
    if (this.#user === undefined || this.#hello === undefined) return
    this.#ticket.authenticated()
    try {
      const admitted = { user: this.#user, connection: this, hello: this.#hello }
      this.#session = this.#host.openSession(admitted)
      this.#host.counters.handshakesAccepted += 1
    } catch (error) {
      if (!HawserError.is(error)) this.#host.onError(error)
      const known = HawserError.is(error) ? error : new HawserError("sys_internal_error")
      this.#refuse(wireError(known), null, false)
      return
    }
    // A token is long, and nobody asks for it again.
    this.#hello = undefined
    this.#user = undefined
    for (const bytes of this.#held.splice(0)) {
      if (!this.#closing) this.#session.receive(bytes)
    }
  }

  /** An error frame first, so that a client can tell a bad token from a bad network; then the close. */
  #refuse(error: WireError, reference: string | number | null, text: boolean): void {
    this.#host.counters.handshakesRefused += 1
    this.#host.health.handshakesRefused.add(text ? "text_message" : error.code)
    if (text) {
      this.close("text_message", error.message)
      return
    }
    const sent = this.accepted.profile === "2.0" ? authError20(error) : error
    const bytes =
      this.accepted.profile === "2.0"
        ? this.codec.encode({ kind: "reply", reference, outcome: { ok: false, error: sent } })
        : this.codec.encode({ kind: "bye", code: error.code, message: error.message })
    this.accepted.connection.send({ bytes })
    this.close(sent.code, error.message)
  }
}

/** What `authenticate` is told; its signal is made when it is asked for. */
class LoginContext implements AuthenticateContext {
  readonly address: string
  readonly #aborter: LazyAbort

  constructor(address: string, aborter: LazyAbort) {
    this.address = address
    this.#aborter = aborter
  }

  get signal(): AbortSignal {
    return this.#aborter.signal
  }
}

/**
 * Clients of `2.0` stop at once only on an `auth_*` code, so whatever is wrong with a first message has one. Only its
 * size keeps its own code: a shorter token would do, another login would not.
 */
function authError20(error: WireError): WireError {
  if (error.code === "message_too_large") return error
  if (error.category !== "validation" && error.code !== "sys_invalid_message") return error
  return { ...error, code: "auth_required", category: "permission" }
}

function closeCodeOf(code: string): number {
  if (code === "text_message") return closeCode.unsupportedData
  if (code === "closed") return closeCode.normal
  // A code of the application ends a session that it wants to be rid of: its client must stay away.
  return isErrorCode(code) ? (errorTable[code].close ?? closeCode.sessionEnded) : closeCode.forbidden
}

function closeCode20(code: string): number {
  if (code === "text_message") return closeCode.unsupportedData
  if (code === "server_shutdown") return closeCode.serviceRestart
  if (code === "sys_invalid_message") return closeCode.protocolViolation
  const close = closeCodeOf(code)
  return close === closeCode.authentication || close === closeCode.forbidden || code === "message_too_large"
    ? closeCode.policyViolation
    : close
}
