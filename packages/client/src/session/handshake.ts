// From HELLO to an open session: sends HELLO with the resume claim, reads messages until one of them settles the attempt,
// and resumes or begins the session at WELCOME. Takes the link as an argument; the caller checks that it is the current one.
// Must not know listeners or when the client dials.
import { HawserError } from "@hawser/protocol"
import { unsendable, wireVersion } from "@hawser/protocol/core"
import type { EventFrame, WelcomeFrame } from "@hawser/protocol/core"
import { errorOf } from "../base/peer-error.ts"
import type { ClientFrames } from "./client-frames.ts"
import type { ClientParts } from "./client-parts.ts"
import type { ClientSession } from "./client-session.ts"
import { fittingHolds } from "./fitting-holds.ts"
import type { Link } from "./links.ts"
import { randomClientId } from "./tokens.ts"

export interface HandshakeOptions extends ClientParts {
  readonly frames: ClientFrames
}

export class Handshake {
  readonly #options: HandshakeOptions
  /** Id of this client in HELLO. */
  readonly #clientId: string

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#clientId = randomClientId(options.random)
  }

  /** Sends HELLO. Fails the attempt if the token cannot be encoded or is too large. */
  sendHello(link: Link, token: string): void {
    const { codec, connection, dial } = link
    const { binding, clock, counters, limits } = this.#options
    link.helloAtMs = clock.now()
    const resume = binding.session?.claim()
    try {
      const bytes = codec.encode({
        kind: "hello",
        version: wireVersion,
        token,
        reference: null,
        clientId: this.#clientId,
        dial,
        ...(resume === undefined ? {} : { resume }),
        limits: limits.message,
      })
      if (resume !== undefined) counters.resumesAsked += 1
      connection.send({ bytes })
    } catch (cause) {
      // The token stays unsendable, so the error is final.
      const error = unsendable("the token", cause)
      binding.fail(
        HawserError.is(error) ? error : new HawserError("auth_token_invalid", { retry: "never", cause }),
      )
    }
  }

  /** Reads a message before WELCOME. Keeps it if it does not settle the attempt, up to `limits.earlyMaxCount`. */
  receive(link: Link, bytes: Uint8Array): void {
    const { binding, dialect, limits } = this.#options
    const opening = dialect.readOpening(link.codec, bytes)
    switch (opening.kind) {
      case "welcome":
        this.#onWelcome(link, opening.welcome, opening.event)
        return
      case "refused":
        binding.fail(errorOf(opening.error, link.retryAfterMs))
        return
      case "busy":
        link.retryAfterMs = opening.retryAfterMs
        return
      case "early":
        if (link.early.push(bytes) <= limits.earlyMaxCount) return
        binding.fail(
          new HawserError("buffer_full", {
            message: `more than ${limits.earlyMaxCount} messages came before WELCOME (limits.earlyMaxCount)`,
          }),
        )
    }
  }

  #onWelcome(link: Link, welcome: WelcomeFrame, event: EventFrame | undefined): void {
    const { binding, clock, counters, frames, links, roundTrip } = this.#options
    counters.welcomes += 1
    if (link.helloAtMs !== undefined) roundTrip.observe(clock.now() - link.helloAtMs)
    // Requests past their deadlines reject before the replay: the server must not execute abandoned requests.
    this.#options.requests.expire()
    // The server has replaced the previous connection.
    links.dropRetired()
    const before = binding.session
    if (!welcome.resumed) {
      this.#open(link, welcome, event)
    } else if (before === undefined) {
      const message = "the server resumed a session that HELLO did not claim"
      binding.fail(new HawserError("sys_invalid_message", { message, retry: "later" }))
      return
    } else if (!this.#resume(link, welcome, before)) {
      return
    }
    for (const bytes of link.early.splice(0)) frames.receive(link, bytes)
  }

  /** Resumes the session: first its state, then the replay and waiting requests, then listeners. */
  #resume(link: Link, welcome: WelcomeFrame, session: ClientSession): boolean {
    const { binding, counters, onSession, outage, replicas, requests, tallies } = this.#options
    link.codec = session.codec
    link.welcomed = true
    if (!session.resume(link.connection, welcome)) {
      tallies.resumesRefused.add("session_diverged")
      const count = session.counts.received
      link.connection.send({ bytes: link.codec.encode({ kind: "reset", cause: "session_diverged", count }) })
      binding.reset(new HawserError("session_diverged"))
      return false
    }
    // The server sends no replica frames before HAVE.
    const held = fittingHolds(replicas.held(), session.serverLimits)
    session.sendControl({ kind: "have", held })
    counters.sessionsResumed += 1
    this.#startHeartbeat()
    if (session.counts.bufferedMessages > 0) this.#options.heartbeat.asked()
    const outageMs = outage.end()
    this.#opened(link, true, () => requests.flush())
    onSession({ kind: "resumed", sessionId: session.id, outageMs })
    return true
  }

  /** Begins a new session: first its state, then waiting requests, then listeners. */
  #open(link: Link, welcome: WelcomeFrame, event: EventFrame | undefined): void {
    const { binding, counters, onFrame, onFresh, onSession, outage, requests, tallies } = this.#options
    const refusal = welcome.refusal ?? "session_unknown"
    if (binding.session?.claim() !== undefined) tallies.resumesRefused.add(refusal)
    binding.end(new HawserError(refusal))
    const session = this.#createSession(link, welcome)
    binding.session = session
    counters.sessionsOpened += 1
    this.#startHeartbeat()
    outage.end()
    this.#opened(link, false, () => {
      onFresh()
      requests.flush()
    })
    onSession({ kind: "opened", sessionId: session.id })
    if (event !== undefined) onFrame(event)
  }

  #createSession(link: Link, welcome: WelcomeFrame): ClientSession {
    const { dialect, heartbeat, limits, requests, wallClockMs } = this.#options
    const { connection, types } = link
    types.replace(welcome.types)
    link.codec = dialect.sessionCodec(link.codec, { types, limits, wallClockMs }, welcome)
    link.welcomed = true
    return dialect.createSession({
      ...this.#options,
      codec: link.codec,
      types,
      connection,
      welcome,
      onRoom: () => requests.flush(),
      onAsked: () => heartbeat.asked(),
    })
  }

  /** @param first runs in the new state, before listeners. */
  #opened({ dial }: Link, resumed: boolean, first: () => void): void {
    this.#options.supervisor.step({ kind: "welcomed", dial, resumed }, first)
  }

  #startHeartbeat(): void {
    if (this.#options.dialect.hasHeartbeat) this.#options.heartbeat.start()
  }
}
