// Dispatches each frame of the server to the part of the client that handles it, and marks counted messages as handled.
// Reports frames that a client does not take. Must not know sockets or when the client dials.
import { HawserError } from "@hawser/protocol"
import type { Frame, ReplicaPartsFrame, ReplyFrame, WireError } from "@hawser/protocol/core"
import { errorOf } from "../base/peer-error.ts"
import { describeCause } from "../base/report.ts"
import type { ClientParts } from "./client-parts.ts"
import type { ClientSession, Received } from "./client-session.ts"
import type { Link } from "./links.ts"

export class ClientFrames {
  readonly #parts: ClientParts

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  /** Receives a message of the session. Ignores it if the link is no longer the current one. */
  receive(link: Link, bytes: Uint8Array): void {
    const { binding } = this.#parts
    const { session } = binding
    if (link !== binding.link || session === undefined) return
    const { frame, count } = session.receive(bytes)
    this.#dispatch(link, session, frame)
    if (session === binding.session) session.settle(count)
  }

  #dispatch(link: Link, session: ClientSession, frame: Received["frame"]): void {
    const { binding, heartbeat, onError, onFrame, replicas, requests, streams } = this.#parts
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
        replicas.describe(frame)
        break
      case "replicaParts":
        this.#onReplicaParts(frame)
        break
      case "end":
        requests.onEnd(frame)
        break
      case "bad":
        this.#onBad(frame.error)
        break
      case "bye":
        this.#onBye(errorOf({ code: frame.code, message: frame.message, category: "system" }))
        break
      case "ping":
      case "pong":
      case "ack":
      case "sync":
        if (frame.kind === "pong") heartbeat.pong(frame.number)
        if (!session.receiveCounts(frame)) binding.reset(new HawserError("session_diverged"))
        break
      case "reset":
      case "goaway":
      case "busy":
      case "authRequest":
        this.#onDirective(link, frame)
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
        onError(new HawserError("sys_invalid_message", { message: `a client takes no "${frame.kind}"` }))
    }
  }

  /** Handles frames in which the server ends or moves the connection, or requests a token. */
  #onDirective(
    link: Link,
    frame: Extract<Frame, { kind: "reset" | "goaway" | "busy" | "authRequest" }>,
  ): void {
    const { binding, onFrame, supervisor } = this.#parts
    switch (frame.kind) {
      case "reset":
        binding.end(new HawserError(frame.cause))
        binding.fail(new HawserError(frame.cause, { retry: "later" }))
        return
      case "goaway":
        link.announced = shutdownOf(frame)
        // A process that shuts down has no other listener to move to. The client reconnects after the close instead.
        if (frame.intent !== "shutdown") binding.moveIn(frame.startInMs)
        onFrame(frame)
        return
      case "busy":
        link.announced = new HawserError("sys_service_unavailable", { retryAfterMs: frame.retryAfterMs })
        return
      case "authRequest":
        supervisor.step({ kind: "renew", dial: link.dial })
    }
  }

  #onReply(frame: ReplyFrame): void {
    const { reference, outcome } = frame
    if (this.#parts.requests.onReply(frame) || outcome.ok || reference !== null) return
    // An error without a reference answers a message that the server could not read.
    this.#parts.onError(errorOf(outcome.error))
  }

  /** Ends the session with the server's error. The error's `retry` decides whether the client reconnects. */
  #onBye(error: HawserError): void {
    this.#parts.binding.end(error)
    this.#parts.binding.fail(error)
  }

  /** Applies a frame of a replica. Treats it as a bad frame if it contradicts the copy. */
  #onReplicaParts(frame: ReplicaPartsFrame): void {
    try {
      this.#parts.replicas.receive(frame)
    } catch (cause) {
      const message = `a frame of a replica cannot be read: ${describeCause(cause)}`
      this.#onBad({ code: "sys_invalid_message", message, category: "validation" })
    }
  }

  /** Reports a frame that cannot be read, and resets the session if the dialect requires it. */
  #onBad(fault: WireError): void {
    const { binding, dialect, onError } = this.#parts
    const error = errorOf({ ...fault, code: "sys_invalid_message" })
    onError(error)
    if (dialect.onBadFrame === "reset") binding.reset(error)
  }
}

/** Returns the error of a connection that ends after GOAWAY, with the server's reconnection delay. */
function shutdownOf({ reason, backInMs }: Extract<Frame, { kind: "goaway" }>): HawserError {
  const wait = backInMs === undefined ? {} : { retryAfterMs: backInMs }
  return new HawserError("server_shutdown", { message: reason, ...wait })
}
