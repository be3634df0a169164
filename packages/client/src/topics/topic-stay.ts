// Whether this client is in one topic, and where it stands there: joins page by page, and again in every new session, from
// the position that it has reached. Knows no listeners and no frames.
//
// Invariants:
//  1. At most one attempt to join is under way; what an older one brings about has no effect. None begins before the
//     server has answered a leave: what it sent until then still arrives, and counts.
//  2. The position is that of the last publication that arrived, so that no join asks for one twice.
//  3. From the call of a join on, no publication is delivered twice: `recent` repeats what is under way of the stay before.
import { HawserError } from "@hawser/protocol"
import { joinPayload } from "@hawser/protocol/core"
import type { Encoded, TopicPosition } from "@hawser/protocol"
import type { JoinReply, JoinedEvent } from "@hawser/protocol/core"
import type { TopicState } from "./topic-api.ts"

/** The requests of topics, as they are sent. */
export interface TopicCalls {
  join(input: object, options: { readonly signal: AbortSignal; readonly ahead: boolean }): Promise<JoinReply>
  /** Has no deadline: a leave that the server never gets would leave the client in. */
  leave(topic: string): Promise<void>
  /** Deadline of a request, in milliseconds. */
  readonly requestTimeoutMs: number
  after(delayMs: number, callback: () => void): () => void
}

export interface TopicStayOptions {
  readonly topic: string
  readonly calls: TopicCalls
  /** The server, or a refusal of a later join, ended it. */
  readonly onOut: (reason: HawserError) => void
}

interface Wanted {
  /** Encoded. */
  state: Encoded<unknown> | undefined
  recent: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly joined: Promise<void>
  /** How often a later join has failed in a row. */
  failures: number
}

/**
 * `current`: the join that is wanted. `left`: one that was left; what it brings is delivered and counts for the position.
 * `givenUp`: the same, and the server does not know yet. `skipped`: one that was left; the next join brings it again.
 */
type JoinedOf = "current" | "left" | "givenUp" | "skipped"

/** Between attempts to get in again: doubled each time. */
const retryMs = { first: 1_000, most: 30_000 }

export class TopicStay {
  readonly #options: TopicStayOptions
  #state: TopicState = "out"
  #position: TopicPosition | undefined
  #wanted: Wanted | undefined
  #attempt: AbortController | undefined
  #leaving: Promise<void> | undefined
  /** True while a join with `recent` waits for a leave: that join brings what is under way. */
  #isSkipping = false
  /** True once this session was told where it stands: only then offsets are those of the position's epoch. */
  #isTold = false
  #cancelRetry: () => void = () => {}

  constructor(options: TopicStayOptions) {
    this.#options = options
  }

  get state(): TopicState {
    return this.#state
  }

  /** True while it is out, and the server knows. */
  get isOver(): boolean {
    return this.#state === "out" && this.#leaving === undefined
  }

  get position(): TopicPosition | undefined {
    return this.#position
  }

  /** @param how.since where it stands already. */
  join(how: {
    readonly state: Encoded<unknown> | undefined
    readonly since: TopicPosition | undefined
    readonly recent: number
  }): Promise<void> {
    if (this.#wanted !== undefined) return this.#wanted.joined
    let resolve = (): void => {}
    let reject = (_error: unknown): void => {}
    const joined = new Promise<void>((onJoined, onFailed) => {
      resolve = onJoined
      reject = onFailed
    })
    this.#wanted = { state: how.state, recent: how.recent, resolve, reject, joined, failures: 0 }
    this.#state = "joining"
    const wanted = this.#wanted
    const begin = (): void => {
      if (this.#wanted !== wanted) return
      this.#position = laterOf(how.since, this.#position)
      this.#isTold = false
      this.#ask(false)
    }
    if (this.#leaving === undefined) {
      begin()
    } else {
      if (how.recent > 0 && how.since === undefined) this.#isSkipping = true
      const stop = this.#limit(wanted)
      const go = (): void => {
        stop()
        begin()
      }
      this.#leaving.then(go, go)
    }
    return joined
  }

  /** A join that waits for a leave to be answered has the time of a request for that. Returns how to stop the time. */
  #limit(wanted: Wanted): () => void {
    const { calls, topic } = this.#options
    return calls.after(calls.requestTimeoutMs, () => {
      const message = `the server has not answered within ${calls.requestTimeoutMs} ms that "${topic}" was left before`
      if (this.#wanted === wanted) this.#onFailed(wanted, new HawserError("timeout", { message }))
    })
  }

  /** What it will be joined with again. */
  setState(state: Encoded<unknown> | undefined): void {
    if (this.#wanted !== undefined) this.#wanted.state = state
  }

  /**
   * Not wanted any more. Resolves when the server knows, and nothing more comes. Rejects with `timeout` if that takes
   * longer than a request may; the server is told all the same.
   */
  leave(reason: HawserError): Promise<void> {
    const isKnown = this.#state === "in" || this.#attempt !== undefined
    const isTold = this.#isTold
    this.#end(reason)
    // What is under way until the server has answered still counts for the position.
    if (isKnown || this.#leaving !== undefined) this.#isTold = isTold
    if (!isKnown && this.#leaving === undefined) return Promise.resolve()
    return this.#inTime(isKnown ? this.tellLeft() : (this.#leaving ?? Promise.resolve()))
  }

  #inTime(leaving: Promise<void>): Promise<void> {
    const { calls, topic } = this.#options
    return new Promise((resolve, reject) => {
      const message = `the server has not answered that "${topic}" was left within ${calls.requestTimeoutMs} ms`
      const stop = calls.after(calls.requestTimeoutMs, () => reject(new HawserError("timeout", { message })))
      leaving.finally(stop).then(resolve, reject)
    })
  }

  /** The server has it in, and it is not wanted. */
  tellLeft(): Promise<void> {
    const leaving = this.#options.calls.leave(this.#options.topic).catch((error: unknown) => {
      // With its session it is out as well.
      if (!HawserError.is(error) || error.code !== "connection_lost") throw error
    })
    const done = (): void => {
      if (this.#leaving !== leaving) return
      this.#leaving = undefined
      this.#isTold = false
      this.#isSkipping = false
    }
    this.#leaving = leaving
    leaving.then(done, done)
    return leaving
  }

  /** The `$join` event of the server: which join it belongs to. */
  onJoined({ epoch, offset, more }: JoinedEvent): JoinedOf {
    if (this.#isSkipping) return "skipped"
    this.#position = { epoch, offset }
    this.#isTold = true
    if (this.#leaving !== undefined) return "left"
    if (this.#wanted === undefined) return "givenUp"
    if (!more) this.#state = "in"
    return "current"
  }

  /** Counts a publication for the position. Returns false for one that is not to be delivered. */
  onPublication(offset: number): boolean {
    if (this.#isSkipping) return false
    if (this.#position !== undefined && this.#isTold)
      this.#position = { epoch: this.#position.epoch, offset: Math.max(offset, this.#position.offset) }
    return true
  }

  /** The server has put it out. */
  onLeft(reason: HawserError): void {
    if (this.#wanted === undefined) return
    this.#end(reason)
    this.#options.onOut(reason)
  }

  /** The session has ended; there will be another one, unless it was closed. */
  onReset(cause: HawserError): void {
    this.#isTold = false
    if (cause.code === "client_closed") this.onLeft(cause)
    else if (this.#state === "in") this.#state = "rejoining"
  }

  /** A session has begun: what the one before was asked means nothing. */
  onFresh(): void {
    // Behind a leave that still waits, it would be undone.
    if (this.#wanted !== undefined && this.#leaving === undefined) this.#ask(true)
  }

  #ask(ahead: boolean): void {
    const wanted = this.#wanted
    if (wanted === undefined) return
    this.#cancelRetry()
    this.#attempt?.abort()
    const attempt = new AbortController()
    this.#attempt = attempt
    const { topic, calls } = this.#options
    const { state, recent } = wanted
    const input = joinPayload({ topic, state, since: this.#position, recent })
    calls.join(input, { signal: attempt.signal, ahead }).then(
      (reply) => {
        if (this.#attempt === attempt) this.#onReply(wanted, reply)
      },
      (error: unknown) => {
        if (this.#attempt === attempt) this.#onFailed(wanted, error)
      },
    )
  }

  #onReply(wanted: Wanted, { more, offset }: JoinReply): void {
    this.#attempt = undefined
    wanted.recent = 0
    this.onPublication(offset)
    if (more) {
      this.#ask(false)
      return
    }
    wanted.failures = 0
    wanted.resolve()
  }

  #onFailed(wanted: Wanted, error: unknown): void {
    this.#attempt = undefined
    // The next session joins again.
    if (HawserError.is(error) && error.code === "connection_lost") return
    const isAgain = HawserError.is(error) && error.retry === "later" && this.#state !== "joining"
    if (isAgain) {
      const delayMs = Math.min(retryMs.first * 2 ** wanted.failures, retryMs.most)
      wanted.failures += 1
      this.#cancelRetry = this.#options.calls.after(Math.max(delayMs, error.retryAfterMs ?? 0), () =>
        this.#ask(false),
      )
      return
    }
    const reason = HawserError.is(error) ? error : new HawserError("sys_internal_error", { cause: error })
    const wasIn = this.#state !== "joining"
    this.#end(reason)
    if (wasIn) this.#options.onOut(reason)
  }

  #end(reason: HawserError): void {
    const wanted = this.#wanted
    const attempt = this.#attempt
    this.#wanted = undefined
    this.#attempt = undefined
    this.#isTold = false
    this.#state = "out"
    this.#cancelRetry()
    attempt?.abort(reason)
    // Without effect where it was joined before.
    wanted?.reject(reason)
  }
}

/** Of one epoch, where it has come to; else where it is told to begin. */
function laterOf(
  since: TopicPosition | undefined,
  reached: TopicPosition | undefined,
): TopicPosition | undefined {
  if (since === undefined || since.epoch !== reached?.epoch) return since
  return reached.offset > since.offset ? reached : since
}
