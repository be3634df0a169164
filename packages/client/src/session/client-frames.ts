// Dispatches each frame of the server to the part of the client that handles it, and marks counted messages as handled.
// Reports frames that a client does not take. Must not know sockets or when the client dials.
import { HawserError } from "@hawser/protocol"
import { errorWithCode } from "@hawser/protocol/core"
import type { BadFrame, Frame, ReplicaPartsFrame, ReplyFrame, WireError } from "@hawser/protocol/core"
import { errorOf } from "../base/peer-error.ts"
import { describeCause } from "../base/report.ts"
import type { ClientParts } from "./client-parts.ts"
import type { Link } from "./links.ts"

/** Receives a message of the session. Ignores it if the link is no longer the current one. */
export function receiveMessage(parts: ClientParts, link: Link, bytes: Uint8Array): void {
  const { binding } = parts
  const { session } = binding
  if (link !== binding.link || session === undefined) return
  const { frame, count } = session.receive(bytes)
  dispatch(parts, link, frame)
  if (session === binding.session) session.settle(count)
}

function dispatch(parts: ClientParts, link: Link, frame: Frame | BadFrame): void {
  const { binding, heartbeat, onError, onFrame, onItem, replicas, requests, supervisor } = parts
  switch (frame.kind) {
    case "event":
    case "topicEvent":
    case "volatile":
      onFrame(frame)
      break
    case "reply":
      onReply(parts, frame)
      break
    case "item":
      onItem(frame)
      break
    case "replica":
      replicas.describe(frame)
      break
    case "replicaParts":
      onReplicaParts(parts, frame)
      break
    case "end":
      requests.onEnd(frame)
      break
    case "bad":
      onBad(parts, frame.error)
      break
    case "ping":
    case "pong":
    case "ack":
    case "sync":
      if (frame.kind === "pong") heartbeat.pong(frame.number)
      if (binding.session?.receiveCounts(frame) === false) binding.reset(new HawserError("session_diverged"))
      break
    case "throttled":
      requests.throttled(frame.limit, frame.forMs)
      break
    case "reset":
    case "bye":
    case "goaway":
    case "busy":
    case "authRequest":
      onDirective(parts, link, frame)
      break
    case "authOk":
      supervisor.step({ kind: "confirmed", dial: link.dial })
      break
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

/** Handles frames in which the server ends the session, ends or moves the connection, or requests a token. */
function onDirective(
  parts: ClientParts,
  link: Link,
  frame: Extract<Frame, { kind: "reset" | "bye" | "goaway" | "busy" | "authRequest" }>,
): void {
  const { binding, onFrame, supervisor } = parts
  switch (frame.kind) {
    case "reset":
      binding.end(errorWithCode(frame.cause))
      binding.fail(errorWithCode(frame.cause, { retry: "later" }))
      return
    case "bye": {
      // The error's `retry` decides whether the client reconnects.
      const error = errorOf({ code: frame.code, message: frame.message, category: "system" })
      binding.end(error)
      binding.fail(error)
      return
    }
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

function onReply({ onError, requests }: ClientParts, frame: ReplyFrame): void {
  const { reference, outcome } = frame
  if (requests.onReply(frame) || outcome.ok || reference !== null) return
  // An error without a reference answers a message that the server could not read.
  onError(errorOf(outcome.error))
}

/** Applies a frame of a replica. Treats it as a bad frame if it contradicts the copy. */
function onReplicaParts(parts: ClientParts, frame: ReplicaPartsFrame): void {
  try {
    parts.replicas.receive(frame)
  } catch (cause) {
    const message = `a frame of a replica cannot be read: ${describeCause(cause)}`
    onBad(parts, { code: "sys_invalid_message", message, category: "validation" })
  }
}

/** Reports a frame that cannot be read, and resets the session if the dialect requires it. */
function onBad({ binding, dialect, onError }: ClientParts, fault: WireError): void {
  const error = errorOf({ ...fault, code: "sys_invalid_message" })
  onError(error)
  if (dialect.onBadFrame === "reset") binding.reset(error)
}

/** Returns the error of a connection that ends after GOAWAY, with the server's reconnection delay. */
function shutdownOf({ reason, backInMs }: Extract<Frame, { kind: "goaway" }>): HawserError {
  const wait = backInMs === undefined ? {} : { retryAfterMs: backInMs }
  return new HawserError("server_shutdown", { message: reason, ...wait })
}
