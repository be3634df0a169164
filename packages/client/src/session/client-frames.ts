// What each frame of a server means for the client. The one place that knows which frames a client takes.
import { HawserError } from "@hawser/protocol"
import type { BadFrame, Frame, ReplicaPartsFrame, ReplyFrame, WireError } from "@hawser/protocol/core"
import type { Requests } from "../calls/requests.ts"
import type { Streams } from "../calls/streams.ts"
import type { ReplicaCopies } from "./replica-copies.ts"
import type { ClientSession, Received } from "./client-session.ts"
import type { Heartbeat } from "./heartbeat.ts"
import type { Link } from "./links.ts"
import { errorOf } from "../base/peer-error.ts"

export interface ClientFramesOptions {
  readonly requests: Requests
  readonly streams: Streams
  readonly replicas: ReplicaCopies
  readonly heartbeat: Heartbeat
  readonly session: () => ClientSession | undefined
  /** Events, and what a listener may want to know of. */
  readonly onFrame: (frame: Frame) => void
  readonly onError: (error: unknown) => void
  /** The connection is of no use any more. */
  readonly fail: (error: HawserError) => void
  /** The two ends disagree: the session is given up at both. */
  readonly reset: (cause: HawserError) => void
  /** The server has given the session up. */
  readonly endSession: (cause: HawserError) => void
  readonly renewToken: (link: Link) => void
  /** The server asks to go, in so many milliseconds. */
  readonly moveIn: (ms: number) => void
}

export class ClientFrames {
  readonly #options: ClientFramesOptions

  constructor(options: ClientFramesOptions) {
    this.#options = options
  }

  receive(link: Link, { frame, count }: Received): void {
    const { session, onFrame, requests, streams } = this.#options
    const before = session()
    switch (frame.kind) {
      case "event":
      case "topicEvent":
      case "volatile":
        onFrame(frame)
        break
      case "reply":
        this.#onReply(frame)
        break
      case "item":
        streams.onItem(frame)
        break
      case "replica":
        this.#options.replicas.describe(frame)
        break
      case "replicaParts":
        this.#onReplicaParts(link, frame)
        break
      case "end":
        requests.onEnd(frame)
        break
      case "bad":
        this.#onBad(link, frame)
        break
      case "bye":
        this.#onBye(errorOf({ code: frame.code, message: frame.message, category: "system" }))
        break
      case "ping":
      case "pong":
      case "ack":
      case "sync":
        this.#onCounts(frame)
        break
      case "reset":
      case "goaway":
      case "busy":
      case "authRequest":
        this.#onWish(link, frame)
        break
      case "authOk":
      case "unknownControl":
        break
      case "hello":
      case "welcome":
      case "auth":
      case "request":
      case "cancel":
      case "credit":
      case "have":
      case "void":
        this.#options.onError(
          new HawserError("sys_invalid_message", { message: `a client takes no "${frame.kind}"` }),
        )
    }
    if (before === session()) before?.settle(count)
  }

  /** What the server says of both ends' counts. */
  #onCounts(frame: Extract<Frame, { kind: "ping" | "pong" | "ack" | "sync" }>): void {
    const { heartbeat, reset } = this.#options
    const session = this.#options.session()
    if (frame.kind === "sync") {
      if (session?.agreesWith(frame.count, frame.digest) === false) reset(new HawserError("session_diverged"))
      return
    }
    if (frame.kind === "pong") heartbeat.pong(frame.number)
    if (session?.acknowledged(frame.handled) === false) reset(new HawserError("session_diverged"))
    else if (frame.kind === "ping") {
      // PONG counts no state, and a hidden page's timers may hold the acknowledgement back.
      session?.flushAck()
      session?.sendControl({ kind: "pong", number: frame.number, handled: session.handled })
    }
  }

  /** What the server wants of the client's connection. */
  #onWish(link: Link, frame: Extract<Frame, { kind: "reset" | "goaway" | "busy" | "authRequest" }>): void {
    const { endSession, fail, moveIn, onFrame, renewToken } = this.#options
    switch (frame.kind) {
      case "reset":
        endSession(new HawserError(frame.cause))
        fail(new HawserError(frame.cause, { retry: "later" }))
        return
      case "goaway":
        link.said = shutdownOf(frame)
        // A shutdown leaves no other listener of the same process to move to: the close code brings the client back.
        if (frame.intent !== "shutdown") moveIn(frame.startInMs)
        onFrame(frame)
        return
      case "busy":
        link.said = new HawserError("sys_service_unavailable", { retryAfterMs: frame.retryAfterMs })
        return
      case "authRequest":
        renewToken(link)
    }
  }

  #onReply(frame: ReplyFrame): void {
    const { reference, outcome } = frame
    if (this.#options.requests.onReply(frame) || outcome.ok || reference !== null) return
    // `2.0` answers what it could not read with an error that names nobody: it must not vanish.
    this.#options.onError(errorOf(outcome.error))
  }

  /** The server ended the session and says why; the error's own rule tells whether to come back. */
  #onBye(error: HawserError): void {
    this.#options.endSession(error)
    this.#options.fail(error)
  }

  /** A change of what is not there: this end and the server disagree about the state of things. */
  #onReplicaParts(link: Link, frame: ReplicaPartsFrame): void {
    try {
      this.#options.replicas.receive(frame)
    } catch (cause) {
      const message = `a frame of a replica cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
      this.#onBad(link, {
        kind: "bad",
        reference: null,
        error: { code: "sys_invalid_message", message, category: "validation" },
      })
    }
  }

  /** A server that sends garbage cannot be counted with; in `2.0` nothing is counted and the rest may be fine. */
  #onBad(link: Link, frame: BadFrame): void {
    const error = errorOf({ ...frame.error, code: "sys_invalid_message" })
    this.#options.onError(error)
    if (link.codec.counts) this.#options.reset(error)
  }
}

/** In `2.0` only an error with an `auth_*` code settles a login; any other reply leaves it undecided. */
export function isLoginError(
  frame: Frame | BadFrame,
): frame is ReplyFrame & { readonly outcome: { readonly ok: false; readonly error: WireError } } {
  return frame.kind === "reply" && !frame.outcome.ok && frame.outcome.error.code.startsWith("auth_")
}

/** The error that explains the end of the connection, with the time after which the client may come back. */
function shutdownOf({ reason, backInMs }: Extract<Frame, { kind: "goaway" }>): HawserError {
  const wait = backInMs === undefined ? {} : { retryAfterMs: backInMs }
  return new HawserError("server_shutdown", { message: reason, ...wait })
}
