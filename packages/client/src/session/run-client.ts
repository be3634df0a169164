// Performs what the reconnect and heartbeat machines decide, and moves messages between the session, the pending
// calls and the listeners. One TimerQueue, one socket at a time; every socket callback carries its dial number.
import {
  HawserError,
  TimerQueue,
  TypeTable,
  createEnvelopeCodec,
  createFrameCodec,
  subprotocol,
  wireVersion,
} from "@hawser/protocol"
import type {
  BadFrame,
  ClientLimits,
  Clock,
  Codec,
  Connection,
  Dial,
  Frame,
  Profile,
  ReplyFrame,
  WelcomeFrame,
  WireError,
} from "@hawser/protocol"
import { Requests } from "../calls/requests.ts"
import { sameStatus, statusOf } from "../status.ts"
import type { ClientStatus } from "../status.ts"
import { ClientSession } from "./client-session.ts"
import type { Received } from "./client-session.ts"
import { Heartbeat } from "./heartbeat.ts"
import { errorOf } from "./peer-error.ts"
import { initialReconnect, stepReconnect, wakeAtReconnect } from "./reconnect.machine.ts"
import type {
  ReconnectEffect,
  ReconnectInput,
  ReconnectOptions,
  ReconnectState,
} from "./reconnect.machine.ts"

export interface TokenContext {
  /** Why the last token was refused; undefined for the first one. Returning the same token again ends the attempts. */
  readonly refused: HawserError | undefined
}

export type TokenSource = string | ((context: TokenContext) => string | Promise<string>)

export interface RunClientOptions {
  readonly url: string
  readonly profile: Profile
  readonly dial: Dial
  readonly clock: Clock
  readonly random: () => number
  readonly wallClockMs: () => number
  readonly limits: ClientLimits
  readonly reconnect: ReconnectOptions
  readonly onStatus: (status: ClientStatus) => void
  readonly onFrame: (frame: Frame) => void
  readonly onError: (error: unknown) => void
}

interface Link {
  readonly dial: number
  readonly connection: Connection
  readonly codec: Codec
  readonly types: TypeTable
  /** What came before WELCOME, in order. */
  readonly early: Uint8Array[]
  /** What the server said before it closed. */
  said: HawserError | undefined
  retryAfterMs: number | undefined
}

export class RunningClient {
  readonly timers: TimerQueue
  readonly requests: Requests
  readonly heartbeat: Heartbeat
  readonly #options: RunClientOptions
  #token: TokenSource
  #state: ReconnectState = initialReconnect()
  #status: ClientStatus = { state: "idle" }
  /** True while `connect` is certain to follow in this turn: requests may be made already. */
  #connectsSoon = false
  #link: Link | undefined
  #session: ClientSession | undefined
  #cancelWake: () => void = () => {}
  readonly #settledWaiters = new Set<{ resolve: () => void; reject: (error: HawserError) => void }>()

  constructor(options: RunClientOptions, token: TokenSource) {
    this.#options = options
    this.#token = token
    this.timers = new TimerQueue(options.clock, options.onError)
    const { clock, limits } = options
    const { timers } = this
    this.requests = new Requests({
      clock,
      timers,
      limits,
      session: () => this.#session,
      refusal: () => this.#refusal(),
      onAbandoned: (reference) => {
        if (this.#link?.codec.counts === true) this.#session?.sendFrame({ kind: "cancel", reference })
      },
      onDeadConnection: () => this.#fail(new HawserError("connection_lost")),
    })
    this.heartbeat = new Heartbeat({
      clock,
      timers,
      limits,
      sendPing: (number) =>
        this.#session?.sendFrame({ kind: "ping", number, handled: this.#session.handled }),
      onDead: (silentMs) => {
        const message = `nothing was heard from the server for ${Math.round(silentMs)} ms`
        this.#fail(new HawserError("connection_lost", { message }))
      },
    })
  }

  get status(): ClientStatus {
    return this.#status
  }

  get sessionId(): string | undefined {
    return this.#session?.id
  }

  get counts(): { readonly sent: number; readonly received: number; readonly handled: number } {
    return this.#session?.counts ?? { sent: 0, received: 0, handled: 0 }
  }

  /** Connects when the current task is done, unless somebody has by then. */
  connectSoon(): void {
    this.#connectsSoon = true
    queueMicrotask(() => {
      this.#connectsSoon = false
      // Its failure is the status `closed`.
      if (this.#state.kind === "idle") this.connect().catch(() => {})
    })
  }

  /** Resolves when a session is open, rejects when the supervisor gives up. */
  connect(token?: TokenSource): Promise<void> {
    if (token !== undefined) this.#token = token
    this.#step({ kind: "connect" })
    if (this.#state.kind === "open") return Promise.resolve()
    return new Promise((resolve, reject) => this.#settledWaiters.add({ resolve, reject }))
  }

  close(): void {
    const connection = this.#link?.connection
    if (this.#session !== undefined && this.#link?.codec.counts === true) {
      this.#session.sendFrame({ kind: "bye", code: "client_closed", message: "" })
    }
    this.#step({ kind: "close" }, () => connection?.close(1000, "the client was closed"))
  }

  #refusal(): HawserError | undefined {
    if (this.#state.kind === "idle") return this.#connectsSoon ? undefined : new HawserError("not_connected")
    if (this.#state.kind !== "closed") return undefined
    const { code, message } = this.#state.error
    return code === "client_closed"
      ? this.#state.error
      : new HawserError("not_connected", { message: `the client is closed: ${message}` })
  }

  // --- supervisor ---------------------------------------------------------------------------------------------

  #step(input: ReconnectInput, beforeEffects: () => void = () => {}): void {
    const { clock, random, reconnect } = this.#options
    const [state, effects] = stepReconnect(reconnect, this.#state, input, {
      nowMs: clock.now(),
      random: random(),
    })
    this.#state = state
    this.#cancelWake()
    const atMs = wakeAtReconnect(state)
    this.#cancelWake =
      atMs === undefined ? () => {} : this.timers.at(atMs, () => this.#step({ kind: "wake" }))
    beforeEffects()
    for (const effect of effects) this.#perform(effect)
    this.#publishStatus()
  }

  #publishStatus(): void {
    const status = statusOf(this.#state)
    if (sameStatus(status, this.#status)) return
    this.#status = status
    if (status.state === "closed") {
      this.requests.rejectAll(status.error)
      for (const waiter of this.#settledWaiters) waiter.reject(status.error)
      this.#settledWaiters.clear()
    } else if (status.state === "open") {
      for (const waiter of this.#settledWaiters) waiter.resolve()
      this.#settledWaiters.clear()
    }
    this.#options.onStatus(status)
  }

  #perform(effect: ReconnectEffect): void {
    switch (effect.kind) {
      case "getToken":
        void this.#getToken(effect.dial, effect.refused)
        return
      case "dial":
        this.#dial(effect.dial)
        return
      case "sendHello": {
        const bytes = this.#link?.codec.encode({
          kind: "hello",
          version: wireVersion,
          token: effect.token,
          reference: null,
        })
        if (bytes !== undefined) this.#link?.connection.send({ bytes })
        return
      }
      case "abandon":
        this.#abandon()
        return
      case "sessionLost":
        this.requests.rejectSent(effect.error)
    }
  }

  async #getToken(dial: number, refused: HawserError | undefined): Promise<void> {
    try {
      const token = await this.#askForToken(refused)
      this.#step({ kind: "token", dial, token })
    } catch (cause) {
      const message = "the token function failed"
      const error = HawserError.is(cause)
        ? cause
        : new HawserError("sys_service_unavailable", { message, cause })
      this.#step({ kind: "tokenFailed", dial, error })
    }
  }

  /** Never answers or throws within the same turn: a step must have ended before the next one. */
  async #askForToken(refused: HawserError | undefined): Promise<string> {
    return typeof this.#token === "function" ? this.#token({ refused }) : this.#token
  }

  #dial(dial: number): void {
    const { profile, limits, wallClockMs, url } = this.#options
    const types = new TypeTable()
    const codec =
      profile === "hawser.1"
        ? createFrameCodec(types, limits.message)
        : createEnvelopeCodec({ side: "client", limits: limits.message, wallClockMs })
    const connection = this.#options.dial(url, profile === "hawser.1" ? [subprotocol] : [], {
      open: () => this.#step({ kind: "opened", dial }),
      message: (bytes) => this.#receive(dial, bytes),
      text: () =>
        this.#failDial(
          dial,
          new HawserError("sys_invalid_message", { message: "the server sent text", retry: "later" }),
        ),
      drained: () => {},
      pong: () => {},
      closed: (code) => {
        const said = this.#link?.dial === dial ? this.#link.said : undefined
        this.#step({ kind: "lost", dial, code, error: said })
      },
    })
    this.#link = { dial, connection, codec, types, early: [], said: undefined, retryAfterMs: undefined }
  }

  /** Unbind first, then close: whatever the old socket still says is stale by its dial number. */
  #abandon(): void {
    const link = this.#link
    this.#link = undefined
    this.#session = undefined
    this.heartbeat.stop()
    link?.connection.terminate()
  }

  /** The connection of now is of no use any more. */
  #fail(error: HawserError): void {
    if (this.#link !== undefined) this.#failDial(this.#link.dial, error)
  }

  #failDial(dial: number, error: HawserError): void {
    this.#step({ kind: "failed", dial, error })
  }

  // --- receiving ----------------------------------------------------------------------------------------------

  #receive(dial: number, bytes: Uint8Array): void {
    const link = this.#link
    if (link === undefined || link.dial !== dial) return
    this.heartbeat.heard()
    if (this.#session === undefined) this.#receiveEarly(link, bytes)
    else this.#dispatch(link, this.#session.receive(bytes))
  }

  /** Before WELCOME only what settles the login is looked at; the rest is kept in order. */
  #receiveEarly(link: Link, bytes: Uint8Array): void {
    const settles = !link.codec.counts || link.codec.classify(bytes) === "control"
    const frame = settles ? link.codec.decode(bytes, 0) : undefined
    if (frame?.kind === "welcome") {
      this.#open(link, frame)
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

  /** State first, then what waited to be sent, then listeners, then what came early – before anything newer. */
  #open(link: Link, welcome: WelcomeFrame): void {
    link.types.replace(welcome.types)
    const { codec, types, connection } = link
    const { sendBufferMaxBytes } = this.#options.limits
    const session = new ClientSession({ codec, types, connection, welcome, sendBufferMaxBytes })
    this.#session = session
    if (codec.counts) this.heartbeat.start()
    this.#step({ kind: "welcomed", dial: link.dial }, () => this.requests.flush())
    if (welcome.payload !== undefined)
      this.#options.onFrame({ kind: "event", type: "welcome", payload: welcome.payload })
    for (const bytes of link.early.splice(0)) {
      if (this.#session !== session) return
      this.#dispatch(link, session.receive(bytes))
    }
  }

  #dispatch(link: Link, { frame, count }: Received): void {
    const session = this.#session
    switch (frame.kind) {
      case "event":
      case "topicEvent":
      case "volatile":
        this.#options.onFrame(frame)
        break
      case "reply":
        this.#onReply(frame)
        break
      case "ping":
        session?.sendFrame({ kind: "pong", number: frame.number, handled: session.handled })
        break
      case "pong":
        this.heartbeat.pong(frame.number)
        break
      case "goaway":
        link.said = new HawserError("server_shutdown", { message: frame.reason })
        this.#options.onFrame(frame)
        break
      case "busy":
        link.said = new HawserError("sys_service_unavailable", { retryAfterMs: frame.retryAfterMs })
        break
      case "bye":
        this.#fail(errorOf({ code: frame.code, message: frame.message, category: "system" }))
        break
      case "bad":
        this.#onBad(link, frame)
        break
      case "welcome":
      case "hello":
      case "request":
      case "cancel":
        this.#options.onError(
          new HawserError("sys_invalid_message", { message: `a client takes no "${frame.kind}"` }),
        )
    }
    session?.settle(count)
  }

  #onReply(frame: ReplyFrame): void {
    const { reference, outcome } = frame
    if (this.requests.onReply(frame) || outcome.ok || reference !== null) return
    // `2.0` answers what it could not read with an error that names nobody: it must not vanish.
    this.#options.onError(errorOf(outcome.error))
  }

  /** A server that sends garbage cannot be counted with; in `2.0` nothing is counted and the rest may be fine. */
  #onBad(link: Link, frame: BadFrame): void {
    const error = errorOf({ ...frame.error, code: "sys_invalid_message" })
    this.#options.onError(error)
    if (link.codec.counts)
      this.#fail(new HawserError("sys_invalid_message", { message: error.message, retry: "later" }))
  }
}

/** In `2.0` only an error with an `auth_*` code settles a login; any other reply leaves it undecided. */
function isLoginError(
  frame: Frame | BadFrame,
): frame is ReplyFrame & { readonly outcome: { readonly ok: false; readonly error: WireError } } {
  return frame.kind === "reply" && !frame.outcome.ok && frame.outcome.error.code.startsWith("auth_")
}
