// What each frame of a client means for its session. The one place that knows which frames a server takes.
import { isErrorCode, quoted } from "@hawser/protocol"
import type {
  BadFrame,
  Delivery,
  Frame,
  Reference,
  ReplicaHold,
  ReplyFrame,
  RequestFrame,
  ServerLimits,
  WireError,
} from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"
import type { Farewell } from "./farewell.ts"
import type { EndCause } from "./session.ts"

/** What a session owes its client. */
interface Owed {
  has(reference: Reference): boolean
  push(frame: RequestFrame, count: number): void
  cancel(reference: Reference): void
  credit(reference: Reference, items: number): void
}

export interface SessionFramesOptions {
  /** True where reliable messages are numbered: a client cannot break that by accident. */
  readonly counts: boolean
  readonly limits: ServerLimits
  readonly counters: ServerCounters
  readonly delivery: Delivery
  readonly answers: Owed
  readonly control: (frame: Frame) => boolean
  readonly reply: (frame: ReplyFrame) => void
  /** The message of this number needs nothing more. */
  readonly settle: (count: number) => void
  readonly renew: (token: string) => void
  /** What a client that came back still holds of replicas. */
  readonly have: (held: readonly ReplicaHold[]) => void
  /** There is room in the buffer. */
  readonly pump: () => void
  readonly finish: (cause: EndCause, how?: { message?: string; farewell?: Farewell }) => void
}

export class SessionFrames {
  readonly #options: SessionFramesOptions
  #badCount = 0

  constructor(options: SessionFramesOptions) {
    this.#options = options
  }

  receive(frame: Frame | BadFrame, count: number): void {
    const { answers, delivery, finish, settle } = this.#options
    switch (frame.kind) {
      case "request":
        this.#onRequest(frame, count)
        return
      case "cancel":
        settle(count)
        answers.cancel(frame.reference)
        return
      case "credit":
        settle(count)
        answers.credit(frame.reference, frame.items)
        return
      case "ping":
        this.#onPing(frame.number, frame.handled)
        return
      case "pong":
      case "ack":
        this.#onAcknowledged(frame.handled)
        return
      case "sync":
        if (!delivery.agreesWith(frame.count, frame.digest)) finish("session_diverged")
        return
      case "auth":
        this.#options.renew(frame.token)
        return
      case "reset":
        // A stranger's words do not become causes.
        finish(isErrorCode(frame.cause) ? frame.cause : "session_diverged", { farewell: "close" })
        return
      case "have":
        this.#options.have(frame.held)
        return
      case "unknownControl":
        return
      case "bye":
        finish("closed", { message: "the client closed the session" })
        return
      case "bad":
        this.#onBad(frame.reference, frame.error)
        return
      case "hello":
        // In `2.0` a second login on a live socket is answered; in `hawser.1` it breaks the protocol.
        this.#refuse(frame.reference, "the session is open already")
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
        this.#refuse(
          frame.kind === "reply" ? frame.reference : null,
          `the server takes no "${frame.kind}" messages`,
        )
    }
  }

  #onPing(number: number, handled: number): void {
    const { control, delivery } = this.#options
    this.#onAcknowledged(handled)
    if (control({ kind: "pong", number, handled: delivery.handled })) delivery.toldHandled()
  }

  /** A client that claims to have handled what it was never sent has another history than this end. */
  #onAcknowledged(handled: number): void {
    const { delivery, finish, pump } = this.#options
    if (delivery.acknowledge(handled)) pump()
    else finish("session_diverged")
  }

  /** Two requests of one reference at once could not be told apart by their replies. */
  #onRequest(frame: RequestFrame, count: number): void {
    const { reference } = frame
    if (typeof reference === "string" && this.#options.answers.has(reference))
      this.#refuse(reference, `a request with the id ${quoted(reference)} is still being served`)
    else this.#options.answers.push(frame, count)
  }

  #refuse(reference: Reference, message: string): void {
    this.#onBad(reference, { code: "sys_invalid_message", message, category: "system" })
  }

  /** `2.0` answers and goes on up to a bound; a client of `hawser.1` cannot do this by accident, so it is closed. */
  #onBad(reference: Reference, error: WireError): void {
    const { counts, counters, limits, finish, reply } = this.#options
    counters.badMessages += 1
    this.#badCount += 1
    if (counts) finish(error.code, { message: error.message })
    else if (this.#badCount > limits.badMessagesMax)
      finish("sys_invalid_message", { message: `more than ${limits.badMessagesMax} bad messages` })
    else reply({ kind: "reply", reference, outcome: { ok: false, error } })
  }
}
