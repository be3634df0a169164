// Performs what the supervisor decides, and brings together the bound connection, the session, the requests and the
// listeners. One TimerQueue; every socket callback carries its dial number.
import { HawserError } from "@hawser/protocol"
import { RoundTrip, TimerQueue, unsendable } from "@hawser/protocol/core"
import { Requests } from "../calls/requests.ts"
import { Streams } from "../calls/streams.ts"
import type { ClientStatus } from "./status.ts"
import { ClientFrames } from "./client-frames.ts"
import { noCounts } from "./client-session.ts"
import type { ClientSession, SessionCounts } from "./client-session.ts"
import { Handshake } from "./handshake.ts"
import { Heartbeat } from "./heartbeat.ts"
import { LeaveWatch } from "./leave.ts"
import type { PageExit } from "./leave.ts"
import { Links } from "./links.ts"
import type { Link } from "./links.ts"
import { Outage } from "./outage.ts"
import type { ReconnectEffect } from "./reconnect-state.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import { refusalOf } from "./refusal.ts"
import { guarded } from "./strategies.ts"
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
  readonly #leaveWatch: LeaveWatch
  readonly #tokens: Tokens
  readonly #handshake: Handshake
  readonly #frames: ClientFrames
  readonly #supervisor: Supervisor
  /** True while `connect` is certain to follow in this turn: requests may be made already. */
  #connectsSoon = false
  /** The link that the session is bound to, or is about to be. */
  #link: Link | undefined
  #session: ClientSession | undefined
  #cancelMove: () => void = () => {}
  /** Times that another token source took the place of the one before. */
  logIns = 0

  constructor(options: RunClientOptions, token: TokenSource) {
    const { clock, limits, counters, wallClockMs } = options
    this.#options = options
    this.#tokens = new Tokens(token, options.onError)
    this.timers = new TimerQueue(clock, options.onError)
    const { timers } = this
    const roundTrip = new RoundTrip()
    const strategy = guarded(options.reconnect.strategy, options.onError)
    this.#supervisor = new Supervisor({
      ...options,
      timers,
      roundTrip,
      reconnect: { ...options.reconnect, strategy },
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
      refusal: () => refusalOf(this.#supervisor.state, this.#connectsSoon),
      onAbandoned: (reference) => this.#session?.cancel(reference),
      onDeadConnection: () => this.#fail(new HawserError("connection_lost")),
      onUnanswered: (sentAtMs) => this.heartbeat.unanswered(sentAtMs),
    })
    this.streams = new Streams({ limits, requests: this.requests, session: () => this.#session })
    this.heartbeat = new Heartbeat({
      clock,
      timers,
      limits,
      roundTrip,
      unacknowledgedBytes: () => this.counts.bufferedBytes,
      sendPing: (number) => this.#session?.sendPing(number),
      onDead: (silentMs) => {
        const message = `nothing was heard from the server for ${Math.round(silentMs)} ms`
        this.#fail(new HawserError("connection_lost", { message }))
      },
    })
    this.#frames = new ClientFrames({
      requests: this.requests,
      streams: this.streams,
      replicas: options.replicas,
      heartbeat: this.heartbeat,
      session: () => this.#session,
      onFrame: options.onFrame,
      onError: options.onError,
      fail: (error) => this.#fail(error),
      reset: (cause) => this.#reset(cause),
      endSession: (cause) => this.#endSession(cause),
      renewToken: ({ dial }) => this.#supervisor.step({ kind: "renew", dial }),
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
        if (link === this.#link) this.#session?.drained()
      },
      onFailed: (dial, error) => this.#supervisor.step({ kind: "failed", dial, error }),
      onLost: (dial, { code, error }) => this.#supervisor.step({ kind: "lost", dial, code, error }),
    })
    this.#outage = new Outage({ clock, timers, limits, counters, onProlonged: options.onSession })
    this.#handshake = new Handshake({
      ...options,
      timers,
      clientId: randomClientId(options.random),
      requests: this.requests,
      heartbeat: this.heartbeat,
      roundTrip,
      outage: this.#outage,
      session: () => this.#session,
      begin: (session) => {
        this.#session = session
      },
      endSession: (cause) => this.#endSession(cause),
      fail: (error) => this.#fail(error),
      reset: (cause) => this.#reset(cause),
      onWelcome: () => this.#links.dropRetired(),
      welcomed: ({ dial }, resumed, first) =>
        this.#supervisor.step({ kind: "welcomed", dial, resumed }, first),
      receiveEarly: (link, bytes) => this.#receiveEarly(link, bytes),
    })
    const { sleepMs } = limits
    const onWake = (): void => this.wake()
    this.#wakeWatch = new WakeWatch({ clock, timers, wallClockMs, sleepMs, onWake }, options.wakeSource)
    this.#leaveWatch = new LeaveWatch(options.leaveSource, (how) => this.#onPageLeft(how))
  }

  get status(): ClientStatus {
    return this.#supervisor.status
  }

  /** True while an attempt waits for the token function. */
  get awaitsToken(): boolean {
    return this.#supervisor.awaitsToken
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
      if (this.#supervisor.state.kind === "idle") this.#supervisor.step({ kind: "connect" })
    })
  }

  /** True for the current source of tokens. */
  isTokenSource(token: TokenSource): boolean {
    return this.#tokens.isSource(token)
  }

  /**
   * Resolves when a session is open, rejects when the supervisor gives up. Another token source is another log-in: the
   * session ends as by `close`, and earlier callers reject with `cancelled`.
   */
  connect(token?: TokenSource): Promise<void> {
    if (token !== undefined && this.#tokens.replace(token)) this.#logInAnew()
    else this.#supervisor.step({ kind: "connect" })
    return this.#supervisor.settled()
  }

  /** No request, session or promise of the previous log-in may end up with the user of the next one. */
  #logInAnew(): void {
    this.logIns += 1
    const message = "another token took the place of the one that this was for"
    const link = this.#link
    this.#sayBye()
    this.#supervisor.beginAnew(
      new HawserError("cancelled", { message }),
      () => this.#closeLink(link),
      () => this.#endAll(new HawserError("client_closed", { message })),
    )
  }

  close(): void {
    const link = this.#link
    this.#sayBye()
    this.#supervisor.step({ kind: "close" }, () => this.#closeLink(link))
  }

  #closeLink(link: Link | undefined): void {
    if (link !== undefined) this.#links.close(link.dial, "the client was closed")
  }

  /** The process may have slept, or the network may have changed: find out soon what is still true. */
  wake(): void {
    this.#supervisor.step({ kind: "hurry" })
    this.heartbeat.doubt()
  }

  /**
   * The session of a page that is gone ends at once: BYE. The connection of a cached page ends, and its session waits.
   * Nothing else changes: a page that runs on all the same reconnects by itself.
   */
  #onPageLeft(how: PageExit): void {
    if (how === "gone") this.#sayBye()
    else this.#fail(new HawserError("connection_lost", { message: "the page is in the back/forward cache" }))
  }

  #sayBye(): void {
    this.#session?.sendControl({ kind: "bye", code: "client_closed", message: "" })
  }

  /** Cuts the connection as a broken network would; the session goes on by itself. For trying things out. */
  cut(): void {
    this.#fail(new HawserError("connection_lost", { message: "the connection was cut on purpose" }))
  }

  // --- supervisor ---------------------------------------------------------------------------------------------

  #onStatus(status: ClientStatus): void {
    const isKept = status.state === "open" || status.state === "reconnecting"
    this.#wakeWatch.set(isKept)
    this.#leaveWatch.set(isKept)
    if (status.state === "closed") this.#onClosed(status.error)
    this.#options.onStatus(status)
  }

  /** Reports why no session came to be, unless a call rejects with it or it was reported as a fault of the token function. */
  #onClosed(error: HawserError): void {
    const isUnheard = this.#supervisor.endedUnheard && this.requests.pendingCount === 0
    this.#endAll(error)
    if (isUnheard && error !== this.#tokens.reported) this.#options.onError(error)
  }

  #endAll(error: HawserError): void {
    this.#endSession(error)
    this.requests.rejectAll(error)
    this.#outage.giveUp()
  }

  #perform(effect: ReconnectEffect): void {
    switch (effect.kind) {
      case "getToken":
        this.#getToken(effect.dial, effect.refused).catch(this.#options.onError)
        return
      case "renewToken":
        this.#renewToken(effect.renewal).catch(this.#options.onError)
        return
      case "dial":
        this.#options.counters.dials += 1
        this.#links.dial(effect.dial)
        return
      case "sendHello":
        this.#sendHello(effect.dial, effect.token)
        return
      case "sendAuth":
        this.#sendAuth(effect.token)
        return
      case "abandon":
        this.#abandon(effect.dial)
        return
      case "report":
        this.#options.onError(effect.error)
        return
      case "connectionLost":
        this.#onConnectionLost(effect.error)
    }
  }

  /** A token that is too large for a message is reported; the session goes on with the one before. */
  #sendAuth(token: string): void {
    try {
      this.#session?.sendControl({ kind: "auth", token })
    } catch (error) {
      this.#options.onError(unsendable("the fresh token", error))
    }
  }

  #sendHello(dial: number, token: string): void {
    const link = this.#links.get(dial)
    if (link === undefined) return
    this.#link = link
    this.#handshake.sayHello(link, token)
  }

  async #getToken(dial: number, refused: HawserError | undefined): Promise<void> {
    const got = await this.#tokens.get(refused)
    if (typeof got === "string") this.#supervisor.step({ kind: "token", dial, token: got })
    else this.#supervisor.step({ kind: "tokenFailed", dial, error: got })
  }

  async #renewToken(renewal: number): Promise<void> {
    const got = await this.#tokens.renew()
    const token = typeof got === "string" ? got : undefined
    if (typeof got !== "string") this.#options.onError(got)
    this.#supervisor.step({ kind: "renewed", renewal, token })
  }

  #abandon(dial: number): void {
    if (this.#link?.dial === dial) this.#unbind()
    const { state } = this.#supervisor
    if (state.kind === "authenticating" && state.isMove) {
      this.#links.retire(dial)
    } else {
      const isEnd = state.kind === "closed" && state.error.code === "client_closed"
      this.#links.abandon(dial, !isEnd)
      this.#links.dropRetired()
    }
  }

  /** Unbind first, then close: whatever the old socket still says has no effect. */
  #unbind(): void {
    this.#link = undefined
    this.#cancelMove()
    this.#session?.detach()
    this.#options.replicas.detach(this.heartbeat.heardAtMs)
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
    if (!link.welcomed || this.#session === undefined) this.#handshake.receive(link, bytes)
    else this.#frames.receive(link, this.#session.receive(bytes))
    // The timers of a hidden page are late: its acknowledgements go out with the messages that arrive.
    this.timers.runDue()
  }

  #receiveEarly(link: Link, bytes: Uint8Array): void {
    if (link === this.#link && this.#session !== undefined)
      this.#frames.receive(link, this.#session.receive(bytes))
  }
}
