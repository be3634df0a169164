// What each frame of a client means for its session. The one place that knows which frames a server takes.
import { isErrorCode } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type {
  BadFrame,
  Delivery,
  Frame,
  Reference,
  ReplicaHold,
  ReplyFrame,
  RequestFrame,
  WireError,
} from "@hawser/protocol/core"
import type { ServerCounters } from "../../base/counters.ts"
import type { BadReaction } from "./dialect.ts"
import type { Ending } from "./farewell.ts"
import type { EndCause } from "../../base/session.ts"

/** What a session owes its client. */
interface Owed {
  has(reference: Reference): boolean
  push(frame: RequestFrame, count: number, arrivedAtMs: number): void
  start(): void
  cancel(reference: Reference): void
  void(references: readonly number[], handled: number): void
  credit(reference: Reference, items: number): void
}

/** What one session says and hears. */
export interface FrameTaker {
  readonly host: { readonly counters: ServerCounters }
  readonly session: {
    renewToken(token: string): void
    finish(cause: EndCause, ending?: Ending): void
  }
  readonly dialect: { bad(error: WireError, badCount: number): BadReaction }
  readonly delivery: Delivery
  readonly answers: Owed
  /** When the message that is processed now arrived. */
  readonly arrivedAtMs: number
  /** Answers the PING of this number. */
  pong(number: number): void
  reply(frame: ReplyFrame): void
  /** The message of this number is settled, and takes effect again if it is sent again after a restart. */
  pass(count: number): void
  /** What a client that came back still holds of replicas. */
  have(held: readonly ReplicaHold[]): void
  /** There is room in the buffer. */
  drained(): void
  /** Returns how many there were, this one included. */
  countBad(): number
}

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
  else if (frame.kind === "hello") refuse(taker, frame.reference, "the session is open already")
  else takeSessionFrame(taker, frame)
}

type SessionFrame = Exclude<
  Frame | BadFrame,
  { readonly kind: "request" | "cancel" | "credit" | "bad" | "hello" }
>

/** Frames of the session layer, which are not counted, and frames that only servers send. */
function takeSessionFrame(taker: FrameTaker, frame: SessionFrame): void {
  const { answers, delivery, session } = taker
  switch (frame.kind) {
    case "ping":
      onPing(taker, frame.number, frame.handled)
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
      // A stranger's words do not become causes.
      session.finish(isErrorCode(frame.cause) ? frame.cause : "session_diverged", { farewell: "close" })
      return
    case "have":
      taker.have(frame.held)
      return
    case "void":
      answers.void(frame.references, delivery.handled)
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
      refuse(
        taker,
        frame.kind === "reply" ? frame.reference : null,
        `the server takes no "${frame.kind}" messages`,
      )
  }
}

function onPing(taker: FrameTaker, number: number, handled: number): void {
  onAcknowledged(taker, handled)
  taker.pong(number)
}

/** A client that claims to have handled or received what it was never sent has another history than this end. */
function onAcknowledged(taker: FrameTaker, handled: number, stateFrames = 0): void {
  const { delivery } = taker
  if (delivery.acknowledge(handled) && delivery.acknowledgeState(stateFrames)) taker.drained()
  else taker.session.finish("session_diverged")
}

/** Two requests of one reference at once could not be told apart by their replies. */
function onRequest(taker: FrameTaker, frame: RequestFrame, count: number): void {
  const { reference } = frame
  if (typeof reference === "string" && taker.answers.has(reference))
    refuse(taker, reference, `a request with the id ${quoted(reference)} is still being served`)
  else taker.answers.push(frame, count, taker.arrivedAtMs)
}

function refuse(taker: FrameTaker, reference: Reference, message: string): void {
  onBad(taker, reference, { code: "sys_invalid_message", message, category: "system" })
}

/** The dialect decides between the session's end and an error reply. */
function onBad(taker: FrameTaker, reference: Reference, error: WireError): void {
  taker.host.counters.badMessages += 1
  const reaction = taker.dialect.bad(error, taker.countBad())
  if (reaction.kind === "end") taker.session.finish(reaction.code, reaction.ending)
  else taker.reply({ kind: "reply", reference, outcome: { ok: false, error } })
}
