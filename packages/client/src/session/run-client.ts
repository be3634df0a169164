// Performs what the supervisor decides, and brings together the bound connection, the session, the requests and the
// listeners. One TimerQueue; every socket callback carries its dial number.
import { HawserError, TimerQueue, wireVersion } from "@hawser/protocol"
import type { WelcomeFrame } from "@hawser/protocol"
import { Requests } from "../calls/requests.ts"
import { Streams } from "../calls/streams.ts"
import type { ClientStatus } from "../status.ts"
import { ClientFrames, isLoginError } from "./client-frames.ts"
import { ClientSession, noCounts } from "./client-session.ts"
import type { SessionCounts } from "./client-session.ts"

import { Heartbeat } from "./heartbeat.ts"
import { Links } from "./links.ts"
import type { Link } from "./links.ts"
import { Outage } from "./outage.ts"
import { errorOf } from "./peer-error.ts"
import type { ReconnectEffect } from "./reconnect.machine.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import { Supervisor } from "./supervisor.ts"
import { Tokens, randomClientId } from "./tokens.ts"
import type { TokenSource } from "./tokens.ts"
import { WakeWatch } from "./wake.ts"

export class RunningClient {
  readonly timers: TimerQueue
  readonly requests: Requests
  readonly streams: Streams
  readonly heartbeat: Heartbeat
  readonly #options: RunClientOptions
  readonly #links: Links
  readonly #outage: Outage
  readonly #wakeWatch: WakeWatch
  readonly #clientId: string
  readonly #tokens: Tokens
  readonly #frames: ClientFrames
  readonly #supervisor: Supervisor
  /** True while `connect` is certain to follow in this turn: requests may be made already. */
  #connectsSoon = false
  /** The link that the session is bound to, or is about to be. */
  #link: Link | undefined
  #session: ClientSession | undefined
  #cancelMove: () => void = () => {}

  constructor(options: RunClientOptions, token: TokenSource) {
    const { clock, limits, counters, wallClockMs } = options
    this.#options = options
    this.#tokens = new Tokens(token)
    this.#clientId = randomClientId(options.random)
    this.timers = new TimerQueue(clock, options.onError)
    const { timers } = this
    this.#supervisor = new Supervisor({
      ...options,
      timers,
      perform: (effect) => this.#perform(effect),
      onStatus: (status) => this.#onStatus(status),
      onAttemptFailed: (error) => options.tallies.handshakesFailed.add(error.code),
    })
    this.requests = new Requests({
      clock,
      timers,
      limits,
      counters,
      session: () => this.#session,
      refusal: () => this.#refusal(),
      onAbandoned: (reference) => this.#session?.cancel(reference),
      onDeadConnection: () => this.#fail(new HawserError("connection_lost")),
    })
    this.streams = new Streams({ limits, requests: this.requests, session: () => this.#session })
    this.heartbeat = new Heartbeat({
      clock,
      timers,
      limits,
      sendPing: (number) => this.#session?.sendPing(number),
      onDead: (silentMs) => {
        const message = `nothing was heard from the server for ${Math.round(silentMs)} ms`
        this.#fail(new HawserError("connection_lost", { message }))
      },
    })
    this.#frames = new ClientFrames({
      requests: this.requests,
      streams: this.streams,
      heartbeat: this.heartbeat,
      session: () => this.#session,
      onFrame: options.onFrame,
      onError: options.onError,
      fail: (error) => this.#fail(error),
      reset: (cause) => this.#reset(cause),
      endSession: (cause) => this.#endSession(cause),
      renewToken: (link) => void this.#renewToken(link),
      moveIn: (ms) => {
        this.#cancelMove()
        this.#cancelMove = timers.after(ms, () => this.#supervisor.step({ kind: "move" }))
      },
    })
    this.#links = new Links({
      ...options,
      onOpened: (dial) => this.#supervisor.step({ kind: "opened", dial }),
      onMessage: (link, bytes) => this.#receive(link, bytes),
      onDrained: (link) => {
        if (link === this.#link) this.#session?.pump()
      },
      onFailed: (dial, error) => this.#supervisor.step({ kind: "failed", dial, error }),
      onLost: (dial, { code, error }) => this.#supervisor.step({ kind: "lost", dial, code, error }),
    })
    this.#outage = new Outage({ clock, timers, limits, counters, onProlonged: options.onSession })
    const { sleepMs } = limits
    const onWake = (): void => this.wake()
    this.#wakeWatch = new WakeWatch({ clock, timers, wallClockMs, sleepMs, onWake }, options.wakeSource)
  }

  get status(): ClientStatus {
    return this.#supervisor.status
  }

  get sessionId(): string | undefined {
    return this.#session?.id
  }

  get counts(): SessionCounts {
    return this.#session?.counts ?? noCounts
  }

  /** How long there has been no connection, while one is missed; else 0. */
  get outageMs(): number {
    return this.#outage.lastsMs
  }

  /** Connects when the current task is done, unless somebody has by then. */
  connectSoon(): void {
    this.#connectsSoon = true
    queueMicrotask(() => {
      this.#connectsSoon = false
      // Its failure is the status `closed`.
      if (this.#supervisor.state.kind === "idle") this.connect().catch(() => {})
    })
  }

  /** Resolves when a session is open, rejects when the supervisor gives up. */
  connect(token?: TokenSource): Promise<void> {
    if (token !== undefined) this.#tokens.replace(token)
    this.#supervisor.step({ kind: "connect" })
    return this.#supervisor.settled()
  }

  close(): void {
    const link = this.#link
    this.#session?.sendControl({ kind: "bye", code: "client_closed", message: "" })
    this.#supervisor.step({ kind: "close" }, () => {
      if (link !== undefined) this.#links.close(link.dial, "the client was closed")
    })
  }

  /** The process may have slept, or the network may have changed: find out soon what is still true. */
  wake(): void {
    if (this.#supervisor.state.kind === "waiting") this.#supervisor.step({ kind: "connect" })
    else this.heartbeat.doubt(this.#options.limits.wakeProbeMs)
  }

  /** Cuts the connection as a broken network would; the session goes on by itself. For trying things out. */
  cut(): void {
    this.#fail(new HawserError("connection_lost", { message: "the connection was cut on purpose" }))
  }

  #refusal(): HawserError | undefined {
    const { state } = this.#supervisor
    if (state.kind === "idle") return this.#connectsSoon ? undefined : new HawserError("not_connected")
    if (state.kind !== "closed") return undefined
    const { code, message } = state.error
    return code === "client_closed"
      ? state.error
      : new HawserError("not_connected", { message: `the client is closed: ${message}` })
  }

  // --- supervisor ---------------------------------------------------------------------------------------------

  #onStatus(status: ClientStatus): void {
    this.#wakeWatch.set(status.state === "open" || status.state === "reconnecting")
    if (status.state === "closed") {
      this.#endSession(status.error)
      this.requests.rejectAll(status.error)
      this.#outage.giveUp()
    }
    this.#options.onStatus(status)
  }

  #perform(effect: ReconnectEffect): void {
    switch (effect.kind) {
      case "getToken":
        void this.#getToken(effect.dial, effect.refused)
        return
      case "dial":
        this.#options.counters.dials += 1
        this.#links.dial(effect.dial)
        return
      case "sendHello":
        this.#sendHello(effect.dial, effect.token)
        return
      case "abandon":
        this.#abandon(effect.dial)
        return
      case "connectionLost":
        this.#onConnectionLost(effect.error)
    }
  }

  #sendHello(dial: number, token: string): void {
    const link = this.#links.get(dial)
    if (link === undefined) return
    this.#link = link
    this.#tokens.last = token
    const resume = this.#session?.claim()
    if (resume !== undefined) this.#options.counters.resumesAsked += 1
    const bytes = link.codec.encode({
      kind: "hello",
      version: wireVersion,
      token,
      reference: null,
      clientId: this.#clientId,
      dial,
      ...(resume === undefined ? {} : { resume }),
    })
    link.connection.send({ bytes })
  }

  async #getToken(dial: number, refused: HawserError | undefined): Promise<void> {
    const got = await this.#tokens.get(refused)
    if (typeof got === "string") this.#supervisor.step({ kind: "token", dial, token: got })
    else this.#supervisor.step({ kind: "tokenFailed", dial, error: got })
  }

  /** The server wants a fresh token on the live connection. The same one again would help nobody. */
  async #renewToken(link: Link): Promise<void> {
    const used = this.#tokens.last
    const got = await this.#tokens.get(undefined)
    if (typeof got !== "string") {
      this.#options.onError(got)
    } else if (got !== used && this.#link === link) {
      this.#tokens.last = got
      this.#supervisor.step({ kind: "renewed", token: got })
      this.#session?.sendControl({ kind: "auth", token: got })
    }
  }

  #abandon(dial: number): void {
    if (this.#link?.dial === dial) this.#unbind()
    const { state } = this.#supervisor
    if (state.kind === "authenticating" && state.isMove) {
      this.#links.retire(dial)
    } else {
      this.#links.abandon(dial)
      this.#links.dropRetired()
    }
  }

  /** Unbind first, then close: whatever the old socket still says has no effect. */
  #unbind(): void {
    this.#link = undefined
    this.#cancelMove()
    this.#session?.detach()
    this.heartbeat.stop()
  }

  #onConnectionLost(error: HawserError): void {
    if (error.code !== "client_closed") {
      this.#options.counters.connectionsLost += 1
      this.#outage.begin()
    }
    // Without a resume token the session was the connection's.
    if (this.#session?.claim() === undefined) this.#endSession(error)
  }

  #endSession(cause: HawserError): void {
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    const unacknowledged = this.requests.onSessionEnded(session, cause)
    session.end()
    if (cause.code !== "client_closed") {
      this.#options.counters.sessionsReset += 1
      this.#options.tallies.sessionsReset.add(cause.code)
    }
    this.#options.onSession({ kind: "reset", sessionId: session.id, cause: cause.code, unacknowledged })
  }

  /** The connection of now is of no use any more. */
  #fail(error: HawserError): void {
    if (this.#link !== undefined) this.#supervisor.step({ kind: "failed", dial: this.#link.dial, error })
  }

  /** The two ends disagree: better a session that is known to be over than one that is silently wrong. */
  #reset(cause: HawserError): void {
    const link = this.#link
    const count = this.#session?.counts.received ?? 0
    this.#session?.sendControl({ kind: "reset", cause: cause.code, count })
    this.#endSession(cause)
    if (link === undefined) return
    const error = new HawserError(cause.code, { message: cause.message, retry: "later" })
    this.#supervisor.step({ kind: "failed", dial: link.dial, error }, () =>
      this.#links.close(link.dial, cause.code),
    )
  }

  // --- receiving ----------------------------------------------------------------------------------------------

  #receive(link: Link, bytes: Uint8Array): void {
    const { counters } = this.#options
    counters.messagesReceived += 1
    counters.bytesReceived += bytes.length
    if (link !== this.#link) return
    this.heartbeat.heard()
    if (!link.welcomed || this.#session === undefined) this.#receiveEarly(link, bytes)
    else this.#frames.receive(link, this.#session.receive(bytes))
  }

  /** Before WELCOME only what settles the login is looked at; the rest is kept in order. */
  #receiveEarly(link: Link, bytes: Uint8Array): void {
    const settles = !link.codec.counts || link.codec.classify(bytes) === "control"
    const frame = settles ? link.codec.decode(bytes, 0) : undefined
    if (frame?.kind === "welcome") {
      this.#welcome(link, frame)
    } else if (frame?.kind === "bye") {
      this.#fail(
        errorOf({ code: frame.code, message: frame.message, category: "permission" }, link.retryAfterMs),
      )
    } else if (frame?.kind === "busy") {
      link.retryAfterMs = frame.retryAfterMs
    } else if (frame !== undefined && isLoginError(frame)) {
      this.#fail(errorOf(frame.outcome.error, link.retryAfterMs))
    } else if (link.early.push(bytes) > this.#options.limits.earlyMaxCount) {
      this.#fail(new HawserError("buffer_full", { message: "too many messages came before WELCOME" }))
    }
  }

  #welcome(link: Link, welcome: WelcomeFrame): void {
    this.#options.counters.welcomes += 1
    this.#links.dropRetired()
    if (welcome.resumed) this.#resume(link, welcome)
    else this.#open(link, welcome)
  }

  #resume(link: Link, welcome: WelcomeFrame): void {
    const session = this.#session
    if (session === undefined) {
      const message = "the server resumed a session that was not asked for"
      this.#fail(new HawserError("sys_invalid_message", { message, retry: "later" }))
      return
    }
    link.codec = session.codec
    link.welcomed = true
    if (!session.resume(link.connection, welcome)) {
      this.#options.tallies.resumesRefused.add("session_diverged")
      const bytes = link.codec.encode({
        kind: "reset",
        cause: "session_diverged",
        count: session.counts.received,
      })
      link.connection.send({ bytes })
      this.#reset(new HawserError("session_diverged"))
      return
    }
    this.#options.counters.sessionsResumed += 1
    this.heartbeat.start()
    const outageMs = this.#outage.end()
    this.#supervisor.step({ kind: "welcomed", dial: link.dial })
    this.#options.onSession({ kind: "resumed", sessionId: session.id, outageMs })
    this.#dispatchEarly(link, session)
  }

  /** State first, then what waited to be sent, then listeners, then what came early – before anything newer. */
  #open(link: Link, welcome: WelcomeFrame): void {
    const refusal = welcome.refusal ?? "session_unknown"
    if (this.#session?.claim() !== undefined) this.#options.tallies.resumesRefused.add(refusal)
    this.#endSession(new HawserError(refusal))
    link.types.replace(welcome.types)
    link.welcomed = true
    const { timers } = this
    const session = new ClientSession({ ...this.#options, ...link, welcome, timers })
    this.#session = session
    this.#options.counters.sessionsOpened += 1
    if (link.codec.counts) this.heartbeat.start()
    this.#outage.end()
    this.#supervisor.step({ kind: "welcomed", dial: link.dial }, () => this.requests.flush())
    this.#options.onSession({ kind: "opened", sessionId: session.id })
    if (welcome.payload !== undefined)
      this.#options.onFrame({ kind: "event", type: "welcome", payload: welcome.payload })
    this.#dispatchEarly(link, session)
  }

  #dispatchEarly(link: Link, session: ClientSession): void {
    for (const bytes of link.early.splice(0)) {
      if (this.#session !== session || this.#link !== link) return
      this.#frames.receive(link, session.receive(bytes))
    }
  }
}
