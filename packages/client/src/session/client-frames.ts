// Dispatches each frame of the server to the part of the client that handles it, and marks counted messages as handled.
// Reports frames that a client does not take. Must not know sockets or when the client dials.
import { HawserError } from "@hawser/protocol"
import type { BadFrame, Frame, ReplicaPartsFrame, ReplyFrame } from "@hawser/protocol/core"
import { errorOf } from "../base/peer-error.ts"
import type { Requests } from "../calls/requests.ts"
import type { Streams } from "../calls/streams.ts"
import type { Received } from "./client-session.ts"
import type { Heartbeat } from "./heartbeat.ts"
import type { Link } from "./links.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import type { SessionBinding } from "./session-binding.ts"
import type { Supervisor } from "./supervisor.ts"

export interface ClientFramesOptions extends Pick<
  RunClientOptions,
  "dialect" | "replicas" | "onFrame" | "onError"
> {
  readonly requests: Requests
  readonly streams: Streams
  readonly heartbeat: Heartbeat
  readonly binding: SessionBinding
  readonly supervisor: Supervisor
}

export class ClientFrames {
  readonly #options: ClientFramesOptions

  constructor(options: ClientFramesOptions) {
    this.#options = options
  }

  receive(link: Link, { frame, count }: Received): void {
    const { binding, heartbeat, onFrame, replicas, requests, streams } = this.#options
    const { session } = binding
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
        this.#onBad(frame)
        break
      case "bye":
        this.#onBye(errorOf({ code: frame.code, message: frame.message, category: "system" }))
        break
      case "ping":
      case "pong":
      case "ack":
      case "sync":
        if (frame.kind === "pong") heartbeat.pong(frame.number)
        if (session?.receiveCounts(frame) === false) binding.reset(new HawserError("session_diverged"))
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
        this.#options.onError(
          new HawserError("sys_invalid_message", { message: `a client takes no "${frame.kind}"` }),
        )
    }
    if (session === binding.session) session?.settle(count)
  }

  /** Handles frames in which the server ends or moves the connection, or requests a token. */
  #onDirective(
    link: Link,
    frame: Extract<Frame, { kind: "reset" | "goaway" | "busy" | "authRequest" }>,
  ): void {
    const { binding, onFrame, supervisor } = this.#options
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
    if (this.#options.requests.onReply(frame) || outcome.ok || reference !== null) return
    // An error without a reference answers a message that the server could not read.
    this.#options.onError(errorOf(outcome.error))
  }

  /** Ends the session with the server's error. The error's `retry` decides whether the client reconnects. */
  #onBye(error: HawserError): void {
    this.#options.binding.end(error)
    this.#options.binding.fail(error)
  }

  /** Applies a frame of a replica. Treats it as a bad frame if it contradicts the copy. */
  #onReplicaParts(frame: ReplicaPartsFrame): void {
    try {
      this.#options.replicas.receive(frame)
    } catch (cause) {
      const message = `a frame of a replica cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
      this.#onBad({
        kind: "bad",
        reference: null,
        error: { code: "sys_invalid_message", message, category: "validation" },
      })
    }
  }

  /** Reports a frame that cannot be read, and resets the session if the dialect requires it. */
  #onBad(frame: BadFrame): void {
    const { binding, dialect, onError } = this.#options
    const error = errorOf({ ...frame.error, code: "sys_invalid_message" })
    onError(error)
    if (dialect.onBadFrame === "reset") binding.reset(error)
  }
}

/** Returns the error of a connection that ends after GOAWAY, with the server's reconnection delay. */
function shutdownOf({ reason, backInMs }: Extract<Frame, { kind: "goaway" }>): HawserError {
  const wait = backInMs === undefined ? {} : { retryAfterMs: backInMs }
  return new HawserError("server_shutdown", { message: reason, ...wait })
}
