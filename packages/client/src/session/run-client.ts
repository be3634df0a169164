// A running client: puts its parts together, and offers the verbs of the application. `performEffect` performs the decisions of the
// supervisor, `SessionBinding` holds the session and its connection. One TimerQueue serves all parts.
// Must not know contracts, topics or listeners.
import { HawserError } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import { Requests } from "../calls/requests.ts"
import { receiveMessage } from "./client-frames.ts"
import type { ClientParts } from "./client-parts.ts"
import type { ClientSession, SessionCounts } from "./client-session.ts"
import { performEffect } from "./effects.ts"
import { receiveOpening } from "./handshake.ts"
import { Heartbeat } from "./heartbeat.ts"
import type { PageExit } from "./leave.ts"
import { Links } from "./links.ts"
import type { Link } from "./links.ts"
import { Outage } from "./outage.ts"
import { PageWatch } from "./page-watch.ts"
import { refusalOf } from "./refusal.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import { SessionBinding } from "./session-binding.ts"
import { hasConnection } from "./status.ts"
import type { ClientStatus } from "./status.ts"
import { Supervisor } from "./supervisor.ts"
import { Tokens } from "./tokens.ts"
import type { TokenSource } from "./tokens.ts"
import { SleepWatch } from "./wake.ts"
import type { WakeMoment } from "./wake.ts"

export class RunningClient {
  readonly requests: Requests
  readonly heartbeat: Heartbeat
  readonly #options: RunClientOptions
  readonly #tokens: Tokens
  readonly #supervisor: Supervisor
  readonly #binding: SessionBinding
  readonly #outage: Outage
  readonly #links: Links
  readonly #parts: ClientParts
  readonly #pageWatch: PageWatch
  /** True from `connectSoon` to the end of the task: requests are accepted already. */
  #connectsSoon = false
  /** Number of times that another token source replaced the previous one. */
  logIns = 0

  constructor(options: RunClientOptions, token: TokenSource) {
    this.#options = options
    this.#tokens = new Tokens(token, options.onError)
    this.#supervisor = this.#createSupervisor()
    this.#links = this.#createLinks()
    this.requests = this.#createRequests()
    this.heartbeat = this.#createHeartbeat()
    this.#outage = new Outage(options)
    const parts = {
      ...options,
      supervisor: this.#supervisor,
      tokens: this.#tokens,
      links: this.#links,
      requests: this.requests,
      heartbeat: this.heartbeat,
      outage: this.#outage,
    }
    this.#binding = new SessionBinding(parts)
    this.#parts = { ...parts, binding: this.#binding }
    this.#pageWatch = new PageWatch(() => this.#listenToPage())
  }

  // --- state ----------------------------------------------------------------------------------------------------

  get timers(): TimerQueue {
    return this.#options.timers
  }

  get status(): ClientStatus {
    return this.#supervisor.status
  }

  /** True while an attempt waits for the token function. */
  get awaitsToken(): boolean {
    return this.#supervisor.state.kind === "gettingToken"
  }

  /** The current session, attached or detached. */
  get session(): ClientSession | undefined {
    return this.#binding.session
  }

  get sessionId(): string | undefined {
    return this.#binding.session?.id
  }

  get counts(): SessionCounts {
    return this.#binding.counts
  }

  /** Milliseconds since the connection was lost; 0 while the client is connected or has no session. */
  get outageMs(): number {
    return this.#outage.lastsMs
  }

  /** Returns true for the current token source. */
  isTokenSource(token: TokenSource): boolean {
    return this.#tokens.isSource(token)
  }

  // --- verbs of the application ---------------------------------------------------------------------------------

  /** Connects at the end of the current task, unless `connect` was called by then. */
  connectSoon(): void {
    this.#connectsSoon = true
    queueMicrotask(() => {
      this.#connectsSoon = false
      if (this.#supervisor.state.kind === "idle") this.#supervisor.step({ kind: "connect" })
    })
  }

  /**
   * Resolves when a session is open, rejects when the client closes. Another token source begins another log-in: the
   * session ends as by `close`, and earlier callers reject with `cancelled`.
   */
  connect(token?: TokenSource): Promise<void> {
    if (token !== undefined && this.#tokens.replace(token)) this.#logInAnew()
    else this.#supervisor.step({ kind: "connect" })
    return this.#supervisor.settled()
  }

  /** Measures the round trip. Rejects as requests do if the client is idle or closed. */
  ping(): Promise<number> {
    const refusal = refusalOf(this.#supervisor.state, this.#connectsSoon)
    return refusal === undefined ? this.heartbeat.ping() : Promise.reject(refusal)
  }

  close(): void {
    this.#supervisor.step({ kind: "close" }, this.#takeLeave())
  }

  /** Probes the connection, or dials at once if the dial budget allows it: the network or the page may have changed. */
  wake(): void {
    this.#supervisor.step({ kind: "hurry" })
    this.heartbeat.doubt()
  }

  /** Cuts the connection like a broken network. The session is resumed on the next connection. For tests. */
  cut(): void {
    this.#lose("the connection was cut on purpose by cut()")
  }

  /** Reports the current connection as lost. */
  #lose(message: string): void {
    this.#binding.fail(new HawserError("connection_lost", { message }))
  }

  /** Ends everything of the previous log-in: no request, session or promise of it may reach the next user. */
  #logInAnew(): void {
    this.logIns += 1
    const message = "connect() was called with another token"
    this.#supervisor.beginAnew(new HawserError("cancelled", { message }), this.#takeLeave(), () =>
      this.#endAll(new HawserError("client_closed", { message })),
    )
  }

  /** Sends BYE. Returns the function that closes the connection. */
  #takeLeave(): () => void {
    const { link } = this.#binding
    this.#binding.sendBye()
    return () => {
      if (link !== undefined) this.#links.close(link.dial, "the client was closed")
    }
  }

  // --- events of the parts --------------------------------------------------------------------------------------

  /**
   * Sends BYE for a page that is gone: its session ends at once. Fails the connection of a cached page: its session waits.
   * A page that runs again reconnects.
   */
  #onPageLeft(exit: PageExit): void {
    if (exit === "gone") this.#binding.sendBye()
    else this.#lose("the page is in the back/forward cache")
  }

  /** Listens to the page, and detects sleep. Returns the function that ends it. */
  #listenToPage(): () => void {
    const { leaveSource, wakeSource } = this.#options
    const onWake = (moment?: WakeMoment): void => {
      if (moment === "offline") this.heartbeat.offline()
      else this.wake()
    }
    const sleepWatch = new SleepWatch({ ...this.#options, onWake })
    const stopWake = wakeSource(onWake)
    sleepWatch.start()
    const stopLeave = leaveSource((exit) => this.#onPageLeft(exit))
    return () => {
      stopWake()
      sleepWatch.stop()
      stopLeave()
    }
  }

  #onStatus(status: ClientStatus): void {
    this.#pageWatch.set(hasConnection(status) || status.state === "reconnecting")
    if (status.state === "closed") this.#onClosed(status.error)
    this.#options.onStatus(status)
  }

  /** Reports the error to `onError`, unless a call rejects with it: one of a first attempt, and a final fault of the token function. */
  #onClosed(error: HawserError): void {
    const { endedUnreported, isAwaited } = this.#supervisor
    const isFault = error === this.#tokens.finalFault && !isAwaited
    const isUnreported = (endedUnreported || isFault) && this.requests.pendingCount === 0
    this.#endAll(error)
    if (isUnreported) this.#options.onError(error)
  }

  #endAll(error: HawserError): void {
    this.#binding.end(error)
    this.requests.rejectAll(error)
    this.#outage.giveUp()
  }

  #onMessage(link: Link, bytes: Uint8Array): void {
    const { counters } = this.#options
    counters.messagesReceived += 1
    counters.bytesReceived += bytes.length
    if (link !== this.#binding.link) return
    this.heartbeat.received()
    // A listener of the status may have closed the client.
    if (link !== this.#binding.link) return
    if (!link.welcomed || this.#binding.session === undefined) receiveOpening(this.#parts, link, bytes)
    else receiveMessage(this.#parts, link, bytes)
    // Timers of a hidden page run late, so acknowledgements go out with received messages.
    this.timers.runDue()
  }

  // --- composition ----------------------------------------------------------------------------------------------

  #createSupervisor(): Supervisor {
    return new Supervisor({
      ...this.#options,
      perform: (effect) => performEffect(this.#parts, effect),
      onStatus: (status) => this.#onStatus(status),
    })
  }

  #createRequests(): Requests {
    return new Requests({
      ...this.#options,
      session: () => this.#binding.session,
      refusal: () => refusalOf(this.#supervisor.state, this.#connectsSoon),
      onAbandoned: (reference) => this.#binding.session?.cancel(reference),
      onDeadConnection: () => this.#binding.fail(new HawserError("connection_lost")),
      onUnanswered: (sentAtMs) => this.heartbeat.unanswered(sentAtMs),
      onPending: this.#options.onPending,
    })
  }

  #createHeartbeat(): Heartbeat {
    return new Heartbeat({
      ...this.#options,
      unacknowledgedBytes: () => this.#binding.counts.bufferedBytes,
      sendPing: (number) => this.#binding.session?.sendPing(number),
      onDoubt: (heardAtMs) => this.#supervisor.doubt(heardAtMs),
      onDead: (silentMs) => this.#lose(`no message from the server for ${Math.round(silentMs)} ms`),
    })
  }

  #createLinks(): Links {
    return new Links({
      ...this.#options,
      supervisor: this.#supervisor,
      onMessage: (link, bytes) => this.#onMessage(link, bytes),
      onDrained: (link) => {
        if (link === this.#binding.link) this.#binding.session?.drained()
      },
    })
  }
}
