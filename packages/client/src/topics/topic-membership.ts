// Membership of this client in one topic, and its position there. Joins page by page, and joins again in every new session
// from the last position. Retries a rejoin that was refused for now. Must not know listeners or frames.
//
// Invariants:
//  1. At most one attempt to join is under way; the result of an older one has no effect. No attempt begins before the
//     server has answered a leave: publications that it sent until then still arrive and advance the position.
//  2. The position is that of the last received publication, so no join requests a publication twice.
//  3. After a call of join, no publication is delivered twice: `recent` repeats publications that are still under way.
import { HawserError } from "@hawser/protocol"
import { joinPayload } from "@hawser/protocol/core"
import type { Encoded, TopicPosition } from "@hawser/protocol"
import type { JoinReply, JoinedEvent } from "@hawser/protocol/core"
import type { TopicState } from "./topic-api.ts"

/** Requests of a membership. */
export interface MembershipCalls {
  /** Sends a join. `ahead`: before all waiting requests. */
  join(input: object, options: { readonly signal: AbortSignal; readonly ahead: boolean }): Promise<JoinReply>
  /** Sends a leave without a deadline: the server would keep the member after a lost leave. */
  leave(topic: string): Promise<void>
  /** Deadline of a request, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Calls back after a delay. Returns the function that cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

export interface TopicMembershipOptions {
  readonly topic: string
  readonly calls: MembershipCalls
  /** Called once for each call of `join` that changed the state, before its promise settles. */
  readonly onJoinOver: () => void
  /** Called when the server, or a refused rejoin, ended the membership. */
  readonly onOut: (reason: HawserError) => void
  /** Called when the server refuses a leave that the application has not asked for. */
  readonly onError: (error: unknown) => void
}

/** The membership that the application requested. */
interface Wanted {
  /** Presence state, encoded; sent with each join. */
  state: Encoded<unknown> | undefined
  recent: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly joined: Promise<void>
  /** Failed rejoins in a row. */
  failures: number
  /** True once the promise of the join has settled. */
  isSettled: boolean
}

/**
 * Join that a `$join` event answers. `current`: the requested membership. `left`: a previous membership whose leave is under
 * way; its publications are delivered and advance the position. `abandoned`: a previous membership without a leave yet.
 * `skipped`: a previous membership whose publications the next join repeats.
 */
type JoinedOf = "current" | "left" | "abandoned" | "skipped"

/** Delays between refused rejoins, in milliseconds: doubled each time, up to `most`. */
const retryMs = { first: 1_000, most: 30_000 }

export class TopicMembership {
  readonly #options: TopicMembershipOptions
  #state: TopicState = "out"
  #position: TopicPosition | undefined
  #wanted: Wanted | undefined
  #attempt: AbortController | undefined
  #leaving: Promise<void> | undefined
  /** True while a join with `recent` waits for a leave: the join repeats the publications under way. */
  #isSkipping = false
  /** True after the `$join` event of this session: offsets of publications then belong to the position's epoch. */
  #isPlaced = false
  #cancelRetry: () => void = () => {}
  /** Ends a leave that waits to be repeated: the session, and the membership with it, has ended. */
  #endLeave: () => void = () => {}

  constructor(options: TopicMembershipOptions) {
    this.#options = options
  }

  get state(): TopicState {
    return this.#state
  }

  /** True while the client is not in the topic and no leave is under way. */
  get isOver(): boolean {
    return this.#state === "out" && this.#leaving === undefined
  }

  get position(): TopicPosition | undefined {
    return this.#position
  }

  /** Joins. Resolves when the last page has arrived. @param how.since position that the application has reached. */
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
    const { state, recent } = how
    const wanted: Wanted = { state, recent, resolve, reject, joined, failures: 0, isSettled: false }
    this.#wanted = wanted
    this.#state = "joining"
    const begin = (): void => {
      if (this.#wanted !== wanted) return
      this.#position = laterOf(how.since, this.#position)
      this.#isPlaced = false
      this.#ask(false)
    }
    if (this.#leaving === undefined) {
      begin()
    } else {
      if (how.recent > 0 && how.since === undefined) this.#isSkipping = true
      const stop = this.#limit("the previous leave", (error) => {
        if (this.#wanted === wanted) this.#onFailed(wanted, error)
      })
      const go = (): void => {
        stop()
        begin()
      }
      this.#leaving.then(go, go)
    }
    return joined
  }

  /** Limits the wait for the answer of a leave to a request's timeout. Returns the function that cancels the limit. */
  #limit(leave: string, onTimeout: (error: HawserError) => void): () => void {
    const { calls, topic } = this.#options
    const message = `the server has not answered ${leave} of "${topic}" within ${calls.requestTimeoutMs} ms (limits.requestTimeoutMs)`
    return calls.after(calls.requestTimeoutMs, () => onTimeout(new HawserError("timeout", { message })))
  }

  /** Replaces the presence state of later joins. */
  setState(state: Encoded<unknown> | undefined): void {
    if (this.#wanted !== undefined) this.#wanted.state = state
  }

  /**
   * Leaves. Resolves when the server has confirmed it: no publication follows. Rejects with `timeout` after
   * `requestTimeoutMs`; the leave stays under way.
   */
  leave(reason: HawserError): Promise<void> {
    const isKnown = this.#state === "in" || this.#attempt !== undefined
    const isPlaced = this.#isPlaced
    this.#end(reason)
    if (!isKnown && this.#leaving === undefined) return Promise.resolve()
    // Publications that arrive before the server's answer still advance the position.
    this.#isPlaced = isPlaced
    return this.#inTime(isKnown || this.#leaving === undefined ? this.#sendLeave() : this.#leaving)
  }

  #inTime(leaving: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.#limit("the leave", reject)
      leaving.finally(stop).then(resolve, reject)
    })
  }

  /** Leaves: the server has a membership that the application does not want. */
  abandon(): void {
    this.#sendLeave().catch(this.#options.onError)
  }

  #sendLeave(): Promise<void> {
    const leaving = this.#requestLeave()
    const done = (): void => {
      if (this.#leaving !== leaving) return
      this.#leaving = undefined
      this.#isPlaced = false
      this.#isSkipping = false
    }
    this.#leaving = leaving
    leaving.then(done, done)
    return leaving
  }

  /** Repeats a leave for which the send buffer or the queue has no space: the server would keep the member. */
  #requestLeave(): Promise<void> {
    const { calls, topic } = this.#options
    return calls.leave(topic).catch((error: unknown) => {
      const code = HawserError.is(error) ? error.code : undefined
      // The end of the session ended the membership.
      if (code === "connection_lost") return undefined
      if (code !== "buffer_full") throw error
      return new Promise<void>((resolve) => {
        const cancel = calls.after(retryMs.first, () => resolve(this.#requestLeave()))
        this.#endLeave = () => {
          cancel()
          resolve()
        }
      })
    })
  }

  /** Notes a `$join` event. Returns the join that it answers. */
  onJoined({ epoch, offset, more }: JoinedEvent): JoinedOf {
    if (this.#isSkipping) return "skipped"
    this.#position = { epoch, offset }
    this.#isPlaced = true
    if (this.#leaving !== undefined) return "left"
    if (this.#wanted === undefined) return "abandoned"
    if (!more) this.#state = "in"
    return "current"
  }

  /** Advances the position by a publication. Returns false for one that must not be delivered. */
  onPublication(offset: number): boolean {
    if (this.#isSkipping) return false
    if (this.#position !== undefined && this.#isPlaced)
      this.#position = { epoch: this.#position.epoch, offset: Math.max(offset, this.#position.offset) }
    return true
  }

  /** Ends the membership: the server has removed the client. */
  onRemoved(reason: HawserError): void {
    if (this.#wanted === undefined) return
    this.#end(reason)
    this.#options.onOut(reason)
  }

  /** Notes the end of the session. The next session joins again, unless the client was closed. */
  onReset(cause: HawserError): void {
    this.#isPlaced = false
    this.#endLeave()
    if (cause.code === "client_closed") this.onRemoved(cause)
    else if (this.#state === "in") this.#state = "rejoining"
  }

  /** Rejects a first join: no session follows unless the application connects again. A member joins again then. */
  onClosed(cause: HawserError): void {
    if (this.#state === "joining") this.#end(cause)
  }

  /** Joins again in a new session. Requests of the previous session have no effect. */
  onFresh(): void {
    // A pending leave would follow this join and undo it.
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
    this.#settle(wanted)
    wanted.resolve()
  }

  #onFailed(wanted: Wanted, error: unknown): void {
    this.#attempt = undefined
    const known = HawserError.is(error) ? error : undefined
    // `onFresh` joins again in the next session.
    if (known?.code === "connection_lost") return
    const wasIn = this.#state !== "joining"
    if (known?.retry === "later" && wasIn) {
      const delayMs = Math.min(retryMs.first * 2 ** wanted.failures, retryMs.most)
      wanted.failures += 1
      this.#cancelRetry = this.#options.calls.after(Math.max(delayMs, known.retryAfterMs ?? 0), () =>
        this.#ask(false),
      )
      return
    }
    const reason = known ?? new HawserError("sys_internal_error", { cause: error })
    const isMember = this.#isPlaced
    this.#end(reason)
    // An abandoned join has made the client a member before this one failed.
    if (isMember) {
      this.#isPlaced = true
      this.abandon()
    }
    if (wasIn) this.#options.onOut(reason)
  }

  #settle(wanted: Wanted): void {
    if (wanted.isSettled) return
    wanted.isSettled = true
    this.#options.onJoinOver()
  }

  #end(reason: HawserError): void {
    const wanted = this.#wanted
    const attempt = this.#attempt
    this.#wanted = undefined
    this.#attempt = undefined
    this.#isPlaced = false
    this.#state = "out"
    this.#cancelRetry()
    attempt?.abort(reason)
    if (wanted === undefined) return
    this.#settle(wanted)
    // Has no effect if the join has resolved.
    wanted.reject(reason)
  }
}

/** Returns the later of two positions of one epoch; `since` if the epochs differ. */
function laterOf(
  since: TopicPosition | undefined,
  reached: TopicPosition | undefined,
): TopicPosition | undefined {
  if (since === undefined || since.epoch !== reached?.epoch) return since
  return reached.offset > since.offset ? reached : since
}
