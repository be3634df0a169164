// Puts sessions into topics and out of them, brings them what they missed, and tells them where they stand. Each step is
// one synchronous block, so that nothing is published in the middle of it. Knows no permissions but whom to ask.
import { HawserError } from "@hawser/protocol"
import { joinedPayload, leftPayload } from "@hawser/protocol/core"
import type { Clock, Encoded, ServerLimits } from "@hawser/protocol"
import type { JoinReply, JoinRequest, TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import { isAnswer } from "../calls/wire-error.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Session } from "../base/session.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import type { Hub, HubPublication } from "./hub.ts"
import { FrozenSeats } from "./frozen-seats.ts"
import type { SeatRecord } from "../session/life/session-record.ts"
import { ownEvent } from "./presence-board.ts"
import type { PresenceBoard, Seat } from "./presence-board.ts"
import { Publication } from "../session/conversation/publication.ts"
import type { Encoder } from "../session/conversation/publication.ts"
import { clientKey } from "./publisher.ts"
import { permit } from "./topic-kinds.ts"
import type { LogEntry, LogRead, TopicLog } from "./topic-log.ts"
import type { TopicKinds } from "./topic-kinds.ts"
import type { TopicSeats } from "./topic-seats.ts"

export interface TopicDeskOptions<User extends AuthenticatedUser> {
  readonly hub: Hub<ServerSession<User>>
  readonly log: Pick<TopicLog<HubPublication<ServerSession<User>>>, "head" | "keeps" | "read">
  readonly seats: TopicSeats<User>
  readonly board: PresenceBoard<User>
  readonly kinds: TopicKinds<User>
  readonly compact: Encoder
  readonly fanOut: FanOut
  readonly counters: ServerCounters
  readonly clock: Clock
  readonly limits: ServerLimits
  readonly timers: Pick<TimerQueue, "after">
  /** Members are numbered from here on: another server begins elsewhere, so that no number means two of them. */
  readonly firstMember: number
  readonly onError: (error: unknown) => void
}

/** The EVENT `$join` without the members that were listed before, and the reply. */
const joinMaxBytes = 4_096

/** A join whose state is encoded, and judged as part of the EVENTs that will carry it. */
export interface JudgedJoin extends JoinRequest {
  readonly state: Encoded<unknown> | undefined
}

/** A call of `canJoin` for a member that has no answer yet. */
interface Question {
  readonly sinceMs: number
  /** True when the member has to be asked about again: its user or its connection is another one by now. */
  isOld: boolean
}

export class TopicDesk<User extends AuthenticatedUser> {
  readonly #options: TopicDeskOptions<User>
  /** One at a time for each member. */
  readonly #questions = new Map<Seat<User>, Question>()
  readonly #frozen: FrozenSeats<User>
  #nextMember: number

  constructor(options: TopicDeskOptions<User>) {
    this.#options = options
    this.#nextMember = options.firstMember
    this.#frozen = new FrozenSeats({
      ...options,
      windowMs: options.limits.resumeWindowMs,
      isShown: (topic) => options.kinds.of(topic).spec.presence !== undefined,
      leave: (seat) => this.#clear(seat),
    })
  }

  /**
   * Brings what was missed, one page of it; with the last page the session is in.
   * @throws HawserError `rate_limited` when it is in too many topics.
   */
  join(session: ServerSession<User>, request: JudgedJoin): JoinReply {
    const { hub, log, seats } = this.#options
    const { topic } = request
    const seated = seats.get(topic, session)
    if (seated !== undefined) {
      this.setState(seated, request.state)
      return { more: false, offset: log.head(topic)?.offset ?? 0 }
    }
    seats.assertRoom(session)
    const wasIn = hub.members(topic).has(session)
    // What keeps nothing is there only while somebody is in it.
    if (!log.keeps(topic)) hub.join(topic, session)
    try {
      return this.#bring(session, request)
    } catch (error) {
      if (!wasIn) hub.leave(topic, session)
      throw error
    }
  }

  /** Nothing has changed before the EVENT is encoded, and nothing can fail after it. */
  #bring(session: ServerSession<User>, request: JudgedJoin): JoinReply {
    const { hub, log, counters } = this.#options
    const { topic, since, recent } = request
    const maxBytes = this.#publicationMaxBytes(topic)
    const missed = log.read(topic, { since, recent, maxBytes })
    if (missed === undefined) throw new HawserError("sys_internal_error")
    const { head, entries } = missed
    const page = this.#page(entries, session, maxBytes)
    const isLast = page.length === entries.length
    const seat = isLast ? this.#newSeat(session, request) : undefined
    const joined = this.#joined({ topic, missed, seat })
    // Until the last page it gets nothing else of the topic, so that everything comes in order.
    if (seat === undefined) hub.leave(topic, session)
    else this.#sit(seat)
    if (missed.gap !== undefined) counters.topicGaps += 1
    this.#replay(session, joined, page)
    return { more: !isLast, offset: isLast ? head.offset : (page.at(-1)?.offset ?? missed.from) }
  }

  /** The client wants to be out. No effect on a session that the application put in. */
  leave(session: Session<User>, topic: string): void {
    const seat = this.#options.seats.get(topic, session)
    if (seat !== undefined) this.#clear(seat)
  }

  /** The application wants it to be out. */
  unsubscribe(topic: string, session: ServerSession<User>): void {
    const seat = this.#options.seats.get(topic, session)
    if (seat === undefined) this.#options.hub.leave(topic, session)
    else this.#putOut(seat, new HawserError("forbidden", { message: "the server ended the membership" }))
  }

  setState(seat: Seat<User>, state: Encoded<unknown> | undefined): void {
    seat.state = state
    if (seat.isShown) this.#options.board.changed(seat)
  }

  /** Its client has gone away, or is back: then the application is asked again whether it may be in. */
  onAttachment(session: ServerSession<User>): void {
    const { board, seats } = this.#options
    for (const seat of seats.of(session)) {
      seat.away = !session.attached
      if (seat.isShown) board.changed(seat)
      if (session.attached) this.#askAgain(seat)
    }
  }

  /** Its user may have other rights with the fresh token. */
  onRenewed(session: ServerSession<User>): void {
    for (const seat of this.#options.seats.of(session)) this.#askAgain(seat)
  }

  /** The session has ended. */
  onEnded(session: ServerSession<User>): void {
    for (const seat of this.#options.seats.of(session)) this.#clear(seat)
    this.#options.hub.leaveAll(session)
  }

  /** Keeps the places that the client of a session joined, and leaves the topics that the application put it in. */
  onFrozen(session: ServerSession<User>): readonly SeatRecord[] {
    const { hub, seats } = this.#options
    for (const topic of hub.topicsOf(session))
      if (seats.get(topic, session) === undefined) hub.leave(topic, session)
    return this.#frozen.freeze(session)
  }

  onThawed(session: ServerSession<User>, records: readonly SeatRecord[]): void {
    this.#frozen.thaw(session, records)
  }

  stop(): void {
    this.#frozen.stop()
  }

  #askAgain(seat: Seat<User>): void {
    const { kinds, board, onError, clock } = this.#options
    const { topic, session } = seat
    if (this.#isAsked(seat)) return
    const question: Question = { sinceMs: clock.now(), isOld: false }
    const stays = (): void => {
      if (this.#isHere(seat) && seat.isShown) board.catchUp(seat)
    }
    const goes = (error: unknown): void => {
      if (!isAnswer(error)) onError(error)
      // Whether it may stay is not known then, and so it may not.
      if (this.#isHere(seat))
        this.#putOut(seat, isAnswer(error) ? error : new HawserError("sys_internal_error"))
    }
    try {
      const { rules } = kinds.of(topic)
      const answer = permit(`join "${topic}"`, rules.canJoin?.({ topic, session }))
      if (answer === undefined) stays()
      else {
        this.#questions.set(seat, question)
        const answered = (act: () => void): void => {
          if (this.#questions.get(seat) === question) this.#questions.delete(seat)
          act()
          if (question.isOld && this.#isHere(seat)) this.#askAgain(seat)
        }
        void answer.then(
          () => answered(stays),
          (error: unknown) => answered(() => goes(error)),
        )
      }
    } catch (error) {
      goes(error)
    }
  }

  /** True while a question is under way: it is repeated after its answer. One without an answer counts for a minute. */
  #isAsked(seat: Seat<User>): boolean {
    const { clock, limits } = this.#options
    const question = this.#questions.get(seat)
    if (question === undefined || clock.now() - question.sinceMs >= limits.requestTimeoutMaxMs) return false
    question.isOld = true
    return true
  }

  #isHere(seat: Seat<User>): boolean {
    return this.#options.seats.get(seat.topic, seat.session) === seat
  }

  #newSeat(session: ServerSession<User>, { topic, state }: JudgedJoin): Seat<User> {
    return {
      id: this.#nextMember,
      topic,
      session,
      user: session.user.id,
      state,
      away: !session.attached,
      isShown: this.#options.kinds.of(topic).spec.presence !== undefined,
      isBehind: false,
    }
  }

  #sit(seat: Seat<User>): void {
    const { board, hub, seats, counters } = this.#options
    this.#nextMember += 1
    hub.join(seat.topic, seat.session)
    seats.add(seat)
    if (seat.isShown) board.add(seat)
    counters.topicJoins += 1
  }

  #clear(seat: Seat<User>): void {
    const { board, hub, seats } = this.#options
    this.#questions.delete(seat)
    seats.delete(seat)
    if (seat.isShown) board.delete(seat)
    hub.leave(seat.topic, seat.session)
  }

  #putOut(seat: Seat<User>, { code, message }: HawserError): void {
    this.#clear(seat)
    this.#options.counters.topicMembersPutOut += 1
    const payload = leftPayload({ topic: seat.topic, code, message })
    this.#options.fanOut.run(() => void seat.session.publish(this.#own("$leave", payload)))
  }

  /** The EVENT `$join`, encoded. */
  #joined({
    topic,
    missed,
    seat,
  }: {
    readonly topic: string
    readonly missed: LogRead
    readonly seat: Seat<User> | undefined
  }): Publication {
    const { board, compact } = this.#options
    const payload = joinedPayload({
      topic,
      epoch: missed.head.epoch,
      offset: missed.from,
      gap: missed.gap,
      more: seat === undefined,
      self: seat?.id ?? 0,
      presence: seat?.isShown === true ? board.listWith(seat) : undefined,
    })
    const joined = this.#own("$join", payload)
    joined.messages(compact)
    return joined
  }

  #replay(session: ServerSession<User>, joined: Publication, page: readonly LogEntry[]): void {
    const { counters, fanOut } = this.#options
    const own = clientKey(session)
    fanOut.run(() => {
      session.publish(joined)
      for (const { message, except } of page) {
        // What was not meant for this client was not missed by it.
        if (except === own) continue
        session.publish({ volatile: false, key: undefined, messages: () => [message] })
        counters.topicReplays += 1
      }
    })
  }

  /** Beside the EVENT `$join` a session's send buffer holds one publication of this size, if it is empty before. */
  #publicationMaxBytes(topic: string): number {
    const { board, limits } = this.#options
    const { sendBufferMaxBytes } = limits
    return sendBufferMaxBytes - Math.min(joinMaxBytes, sendBufferMaxBytes / 4) - board.listedBytes(topic)
  }

  /**
   * As much as one answer may bring, and half of the session's buffer can take; one publication at least, if there is room
   * for it. Without room the client asks again, and its acknowledgements make some.
   */
  #page(
    entries: readonly LogEntry[],
    { buffered }: ServerSession<User>,
    publicationMaxBytes: number,
  ): readonly LogEntry[] {
    const { limits } = this.#options
    const maxCount = Math.min(limits.topicPageMaxCount, limits.sendBufferMaxCount / 2 - buffered.messages)
    const maxBytes = Math.min(limits.topicPageMaxBytes, limits.sendBufferMaxBytes / 2 - buffered.bytes)
    const roomBytes = publicationMaxBytes - buffered.bytes
    let bytes = 0
    let count = 0
    for (const { message } of entries) {
      bytes += message.bytes.length
      if (bytes > roomBytes || (count > 0 && (count >= maxCount || bytes > maxBytes))) break
      count += 1
    }
    return entries.slice(0, count)
  }

  #own(name: string, payload: unknown): Publication {
    return new Publication(this.#options.counters, {
      name,
      spec: ownEvent,
      payload,
      source: undefined,
      isSingle: true,
    })
  }
}
