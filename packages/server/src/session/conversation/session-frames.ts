// Dispatches the frames of a client to its session. Frames that only servers send are refused as bad messages.
import { isErrorCode } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type {
  BadFrame,
  ServerDelivery,
  Frame,
  Reference,
  ReplicaHold,
  ReplyFrame,
  RequestFrame,
  WireError,
} from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerCounters } from "../../base/counters.ts"
import type { Answers } from "./answers.ts"
import type { BadReaction } from "./dialect.ts"
import type { Ending } from "./session-end.ts"
import type { EndCause } from "../../base/session.ts"

/** Requests and streams of a session, as frames address them. */
type RequestSink = Pick<Answers<AuthenticatedUser>, "has" | "push" | "start" | "cancel" | "void" | "credit">

/** Session, as frames address it. */
export interface FrameTaker {
  readonly host: { readonly counters: ServerCounters }
  readonly session: {
    renewToken(token: string): void
    finish(cause: EndCause, ending?: Ending): void
  }
  readonly dialect: { bad(error: WireError, badCount: number): BadReaction }
  readonly delivery: ServerDelivery
  readonly answers: RequestSink
  /** Time of arrival of the message in process. */
  readonly arrivedAtMs: number
  /** Sends the PONG of this number. */
  pong(number: number): void
  reply(frame: ReplyFrame): void
  /** Settles a message that has its effect again when it is retransmitted after a restart. */
  pass(count: number): void
  /** Receives the cells and versions of replicas that a resumed client holds. */
  have(held: readonly ReplicaHold[]): void
  /** Called when messages were acknowledged. */
  drained(): void
  /** Counts a bad message. Returns the number of bad messages, including this one. */
  countBad(): number
}

/** Dispatches one frame. */
export function takeFrame(taker: FrameTaker, frame: Frame | BadFrame, count: number): void {
  const { answers } = taker
  if (frame.kind === "request") onRequest(taker, frame, count)
  else if (frame.kind === "cancel") {
    taker.pass(count)
    answers.cancel(frame.reference)
  } else if (frame.kind === "credit") {
    taker.pass(count)
    answers.credit(frame.reference, frame.items)
  } else if (frame.kind === "bad") onBad(taker, frame.reference, frame.error)
  else if (frame.kind === "hello")
    refuse(taker, frame.reference, "a second HELLO: the session is open already")
  else takeSessionFrame(taker, frame)
}

type SessionFrame = Exclude<
  Frame | BadFrame,
  { readonly kind: "request" | "cancel" | "credit" | "bad" | "hello" }
>

/** Dispatches frames of the session layer, which are not counted. Refuses frames that only servers send. */
function takeSessionFrame(taker: FrameTaker, frame: SessionFrame): void {
  const { answers, delivery, session } = taker
  switch (frame.kind) {
    case "ping":
      onAcknowledged(taker, frame.handled)
      taker.pong(frame.number)
      return
    case "pong":
      onAcknowledged(taker, frame.handled)
      return
    case "ack":
      onAcknowledged(taker, frame.handled, frame.stateFrames)
      return
    case "sync":
      if (!delivery.agreesWith(frame.count, frame.digest)) session.finish("session_diverged")
      return
    case "auth":
      session.renewToken(frame.token)
      return
    case "reset":
      // Only codes of the error table become causes: a client may send any text.
      session.finish(isErrorCode(frame.cause) ? frame.cause : "session_diverged", { report: "close" })
      return
    case "have":
      taker.have(frame.held)
      return
    case "void":
      if (!answers.void(frame.references, delivery.handled))
        refuse(taker, null, "a client must not send VOID twice on a connection")
      return
    case "unknownControl":
      return
    case "bye":
      answers.start()
      session.finish("closed", { message: "the client closed the session" })
      return
    case "event":
    case "topicEvent":
    case "volatile":
    case "replica":
    case "replicaParts":
    case "reply":
    case "item":
    case "end":
    case "welcome":
    case "authRequest":
    case "authOk":
    case "goaway":
    case "busy":
    case "throttled":
      refuse(
        taker,
        frame.kind === "reply" ? frame.reference : null,
        `a client must not send "${frame.kind}" messages`,
      )
  }
}

/** Acknowledges messages and state. A count above the sent ones ends the session with `session_diverged`. */
function onAcknowledged(taker: FrameTaker, handled: number, stateFrames = 0): void {
  const { delivery } = taker
  if (delivery.acknowledge(handled) && delivery.acknowledgeState(stateFrames)) taker.drained()
  else taker.session.finish("session_diverged")
}

/** Queues a request. Refuses a second one with the reference of an open request, because their replies would be ambiguous. */
function onRequest(taker: FrameTaker, frame: RequestFrame, count: number): void {
  const { reference } = frame
  if (typeof reference === "string" && taker.answers.has(reference))
    refuse(taker, reference, `the request id ${quoted(reference)} is still in use`)
  else taker.answers.push(frame, count, taker.arrivedAtMs)
}

function refuse(taker: FrameTaker, reference: Reference, message: string): void {
  onBad(taker, reference, { code: "sys_invalid_message", message, category: "system" })
}

/** Counts a bad message. The dialect decides between the session's end and an error reply. */
function onBad(taker: FrameTaker, reference: Reference, error: WireError): void {
  taker.host.counters.badMessages += 1
  const reaction = taker.dialect.bad(error, taker.countBad())
  if (reaction.kind === "end") taker.session.finish(reaction.code, reaction.ending)
  else taker.reply({ kind: "reply", reference, outcome: { ok: false, error } })
}
