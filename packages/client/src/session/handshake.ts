// From HELLO to an open session: what HELLO claims, what of the server's first words settles the attempt, and which
// session goes on from WELCOME. Knows which link it is told of, not whether it is still the one of now.
import { HawserError } from "@hawser/protocol"
import { createFrameCodec, unsendable, wireVersion } from "@hawser/protocol/core"
import type { RoundTrip, TimerQueue, WelcomeFrame } from "@hawser/protocol/core"
import type { Requests } from "../calls/requests.ts"
import { fittingHolds } from "./fitting-holds.ts"
import { isLoginError } from "./client-frames.ts"
import { ClientSession } from "./client-session.ts"
import type { Heartbeat } from "./heartbeat.ts"
import type { Link } from "./links.ts"
import type { Outage } from "./outage.ts"
import { errorOf } from "../base/peer-error.ts"
import type { RunClientOptions } from "./run-client-options.ts"

export interface HandshakeOptions extends Pick<
  RunClientOptions,
  "clock" | "limits" | "counters" | "tallies" | "replicas" | "onFrame" | "onSession" | "onFresh"
> {
  readonly timers: TimerQueue
  readonly clientId: string
  readonly requests: Requests
  readonly heartbeat: Heartbeat
  readonly roundTrip: RoundTrip
  readonly outage: Outage
  readonly session: () => ClientSession | undefined
  /** There is a new session; the one before it has ended. */
  readonly begin: (session: ClientSession) => void
  readonly endSession: (cause: HawserError) => void
  /** The attempt has failed. */
  readonly fail: (error: HawserError) => void
  /** The two ends disagree: the session is given up at both. */
  readonly reset: (cause: HawserError) => void
  /** The server has heard of this connection: the one that it replaces is of no use any more. */
  readonly onWelcome: () => void
  /** The session is open on this link. `first` runs in the new state, before listeners. */
  readonly welcomed: (link: Link, resumed: boolean, first: () => void) => void
  /** A message that came before WELCOME is received like any other, unless the link is not the session's any more. */
  readonly receiveEarly: (link: Link, bytes: Uint8Array) => void
}

export class Handshake {
  readonly #options: HandshakeOptions

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  sayHello(link: Link, token: string): void {
    const { codec, connection, dial } = link
    const { clientId, clock, counters, fail, limits, session } = this.#options
    link.saidHelloAtMs = clock.now()
    const resume = session()?.claim()
    try {
      const bytes = codec.encode({
        kind: "hello",
        version: wireVersion,
        token,
        reference: null,
        clientId,
        dial,
        ...(resume === undefined ? {} : { resume }),
        limits: limits.message,
      })
      if (resume !== undefined) counters.resumesAsked += 1
      connection.send({ bytes })
    } catch (cause) {
      // No server takes it, neither now nor later.
      const error = unsendable("the token", cause)
      fail(HawserError.is(error) ? error : new HawserError("auth_token_invalid", { retry: "never", cause }))
    }
  }

  /** Before WELCOME only what settles the login is looked at; the rest is kept in order. */
  receive(link: Link, bytes: Uint8Array): void {
    const { fail, limits } = this.#options
    const settles = !link.codec.counts || link.codec.classify(bytes) === "control"
    const frame = settles ? link.codec.decode(bytes, 0) : undefined
    if (frame?.kind === "welcome") {
      this.#onWelcome(link, frame)
    } else if (frame?.kind === "bye") {
      fail(errorOf({ code: frame.code, message: frame.message, category: "permission" }, link.retryAfterMs))
    } else if (frame?.kind === "busy") {
      link.retryAfterMs = frame.retryAfterMs
    } else if (frame !== undefined && isLoginError(frame)) {
      fail(errorOf(frame.outcome.error, link.retryAfterMs))
    } else if (link.early.push(bytes) > limits.earlyMaxCount) {
      fail(new HawserError("buffer_full", { message: "too many messages came before WELCOME" }))
    }
  }

  #onWelcome(link: Link, welcome: WelcomeFrame): void {
    const { clock, counters, onWelcome, roundTrip, session } = this.#options
    counters.welcomes += 1
    if (link.saidHelloAtMs !== undefined) roundTrip.observe(clock.now() - link.saidHelloAtMs)
    // A caller whose time is over is told so first: the server must not execute what nobody waits for.
    this.#options.requests.expire()
    onWelcome()
    const before = session()
    if (!welcome.resumed) {
      this.#open(link, welcome)
    } else if (before === undefined) {
      const message = "the server resumed a session that was not asked for"
      this.#options.fail(new HawserError("sys_invalid_message", { message, retry: "later" }))
      return
    } else if (!this.#resume(link, welcome, before)) {
      return
    }
    for (const bytes of link.early.splice(0)) this.#options.receiveEarly(link, bytes)
  }

  /** State first, then what is sent again and what waited to be sent, then listeners. */
  #resume(link: Link, welcome: WelcomeFrame, session: ClientSession): boolean {
    const { counters, heartbeat, onSession, outage, requests, tallies, welcomed } = this.#options
    link.codec = session.codec
    link.welcomed = true
    if (!session.resume(link.connection, welcome)) {
      tallies.resumesRefused.add("session_diverged")
      const count = session.counts.received
      link.connection.send({ bytes: link.codec.encode({ kind: "reset", cause: "session_diverged", count }) })
      this.#options.reset(new HawserError("session_diverged"))
      return false
    }
    // The server sends nothing of replicas before it knows what is here.
    const held = fittingHolds(this.#options.replicas.held(), session.serverLimits)
    session.sendControl({ kind: "have", held })
    counters.sessionsResumed += 1
    heartbeat.start()
    if (session.counts.bufferedMessages > 0) heartbeat.asked()
    const outageMs = outage.end()
    welcomed(link, true, () => requests.flush())
    onSession({ kind: "resumed", sessionId: session.id, outageMs })
    return true
  }

  /** State first, then what waited to be sent, then listeners. */
  #open(link: Link, welcome: WelcomeFrame): void {
    const { begin, counters, heartbeat, onFrame, onSession, outage, requests, tallies } = this.#options
    const refusal = welcome.refusal ?? "session_unknown"
    if (this.#options.session()?.claim() !== undefined) tallies.resumesRefused.add(refusal)
    this.#options.endSession(new HawserError(refusal))
    link.types.replace(welcome.types)
    // From now on what is sent is judged by the limits that the server names.
    if (link.codec.counts)
      link.codec = createFrameCodec(link.types, this.#options.limits.message, welcome.limits)
    link.welcomed = true
    const onRoom = (): void => requests.flush()
    const onAsked = (): void => heartbeat.asked()
    const session = new ClientSession({ ...this.#options, ...link, welcome, onRoom, onAsked })
    begin(session)
    counters.sessionsOpened += 1
    if (link.codec.counts) heartbeat.start()
    outage.end()
    this.#options.welcomed(link, false, () => {
      this.#options.onFresh()
      requests.flush()
    })
    onSession({ kind: "opened", sessionId: session.id })
    if (welcome.payload !== undefined) onFrame({ kind: "event", type: "welcome", payload: welcome.payload })
  }
}
