// Memberships of sessions in topics: joins with replay of the history, leaves, and the repeated check of `canJoin` after a
// resume or a renewed token. Each step is one synchronous block, so that no publication runs in the middle of it.
// Must not know the rules behind `canJoin` or sockets.
import { HawserError } from "@hawser/protocol"
import { joinedPayload, leftPayload } from "@hawser/protocol/core"
import type { Encoded } from "@hawser/protocol"
import type { JoinReply, JoinRequest } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import { callReporting } from "../base/hooks.ts"
import { isAnswer } from "../calls/wire-error.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Session } from "../base/session.ts"
import { FrozenMemberships } from "./frozen-memberships.ts"
import type { MembershipRecord } from "../session/life/session-record.ts"
import { protocolEvent } from "./presence-board.ts"
import type { Membership } from "./membership.ts"
import { note } from "./membership.ts"
import { Publication } from "../session/conversation/publication.ts"
import { clientKey } from "./publisher.ts"
import { memberOf, permit } from "./topic-kinds.ts"
import type { LeaveCause } from "./topic-kinds.ts"
import type { LogEntry, LogRead } from "./topic-log.ts"
import type { TopicParts } from "./topic-parts.ts"

/** Bytes of the EVENT `$join` without its member list, and of the reply. */
const joinMaxBytes = 4_096

/** A join whose state was encoded and checked against the limits of the EVENTs that will contain it. */
export interface CheckedJoin extends JoinRequest {
  readonly state: Encoded<unknown> | undefined
}

/** A pending call of `canJoin` for a member. */
interface Check {
  readonly sinceMs: number
  /** True if the token was renewed or the session reattached since the call: `canJoin` must be called again. */
  isStale: boolean
}

/** One page of a join. */
interface SentPage<User extends AuthenticatedUser> {
  readonly joined: Publication
  readonly page: readonly LogEntry[]
  /** The new membership; undefined before the last page. */
  readonly membership: Membership<User> | undefined
}

export class TopicMemberships<User extends AuthenticatedUser> {
  readonly #parts: TopicParts<User>
  /** Pending checks, at most one per member. */
  readonly #checks = new Map<Membership<User>, Check>()
  readonly #frozen: FrozenMemberships<User>
  #nextMember: number

  /** @param firstMember id of the first member. Random for each server, so that ids of two servers do not collide. */
  constructor(parts: TopicParts<User>, firstMember: number) {
    this.#parts = parts
    this.#nextMember = firstMember
    this.#frozen = new FrozenMemberships(parts, (membership, isOver) => {
      this.#delete(membership)
      if (isOver) this.#onLeave(membership, "ended")
    })
  }

  /**
   * Sends one page of the missed publications. The session becomes a member with the last page.
   * @throws HawserError `rate_limited` at `topicsPerSession` or `topicsPerUser`.
   */
  join(session: ServerSession<User>, request: CheckedJoin): JoinReply {
    const { hub, log, index } = this.#parts
    const { topic } = request
    const known = index.get(topic, session)
    if (known !== undefined) {
      this.setState(known, request.state)
      return { more: false, offset: log.head(topic)?.offset ?? 0 }
    }
    index.assertCapacity(session)
    const wasInTopic = hub.members(topic).has(session)
    // A topic without a history exists only while it contains a session.
    if (!log.keeps(topic)) hub.join(topic, session)
    try {
      return this.#sendPage(session, request)
    } catch (error) {
      if (!wasInTopic) hub.leave(topic, session)
      throw error
    }
  }

  /** Changes no state before the EVENT is encoded, and throws nothing after it. */
  #sendPage(session: ServerSession<User>, request: CheckedJoin): JoinReply {
    const { hub, log, counters } = this.#parts
    const { topic, since, recent } = request
    const maxBytes = this.#publicationMaxBytes(topic)
    const missed = log.read(topic, { since, recent, maxBytes })
    if (missed === undefined) throw new HawserError("sys_internal_error")
    const { head, entries } = missed
    const page = this.#page(entries, session, maxBytes)
    const isLast = page.length === entries.length
    const membership = isLast ? this.#newMembership(session, request) : undefined
    const joined = this.#joined(topic, missed, membership)
    // Before the last page the session receives no live publications, so that all publications arrive in order.
    if (membership === undefined) hub.leave(topic, session)
    else this.#add(membership)
    if (missed.gap !== undefined) counters.topicGaps += 1
    this.#replay(session, { joined, page, membership })
    return { more: !isLast, offset: isLast ? head.offset : (page.at(-1)?.offset ?? missed.from) }
  }

  /** Leaves on request of the client. No effect on a session that the application subscribed. */
  leave(session: Session<User>, topic: string): void {
    const membership = this.#parts.index.get(topic, session)
    if (membership === undefined) return
    this.#delete(membership)
    this.#onLeave(membership, "left")
  }

  /** Removes a member or a subscriber on behalf of the application. */
  unsubscribe(topic: string, session: ServerSession<User>): void {
    const membership = this.#parts.index.get(topic, session)
    if (membership === undefined) this.#parts.hub.leave(topic, session)
    else
      this.#remove(membership, new HawserError("forbidden", { message: "the server ended the membership" }))
  }

  setState(membership: Membership<User>, state: Encoded<unknown> | undefined): void {
    membership.state = state
    note(membership)
    this.#parts.board.changed(membership)
  }

  /** Updates `away` of a session that was attached or detached. An attached session is checked with `canJoin` again. */
  onAttachment(session: ServerSession<User>): void {
    const { board, index } = this.#parts
    for (const membership of index.of(session)) {
      const away = !session.attached
      if (membership.away !== away) {
        membership.away = away
        note(membership)
        board.changed(membership)
      }
      if (session.attached) this.#checkAgain(membership)
    }
  }

  /** Checks all memberships again after a token renewal: the user's rights may have changed. */
  onRenewed(session: ServerSession<User>): void {
    for (const membership of this.#parts.index.of(session)) this.#checkAgain(membership)
  }

  /** Removes an ended session from all topics. */
  onEnded(session: ServerSession<User>): void {
    const memberships = this.#parts.index.of(session)
    for (const membership of memberships) this.#delete(membership)
    this.#parts.hub.leaveAll(session)
    for (const membership of memberships) this.#onLeave(membership, "ended")
  }

  /** Keeps the memberships of a frozen session, and ends the subscriptions that the application made. */
  onFrozen(session: ServerSession<User>): readonly MembershipRecord[] {
    const { hub, index } = this.#parts
    for (const topic of hub.topicsOf(session))
      if (index.get(topic, session) === undefined) hub.leave(topic, session)
    return this.#frozen.freeze(session)
  }

  onThawed(session: ServerSession<User>, records: readonly MembershipRecord[]): void {
    this.#frozen.thaw(session, records)
  }

  /** Restores memberships as they were, without a change for other members. The presence of their topics follows. */
  onRestored(session: ServerSession<User>, records: readonly MembershipRecord[]): void {
    const { hub, index, kinds, replicas } = this.#parts
    for (const membership of index.thaw(records, session, (topic) => kinds.hasPresence(topic))) {
      hub.join(membership.topic, session)
      replicas.enter(membership)
      this.#nextMember = Math.max(this.#nextMember, membership.id + 1)
    }
  }

  /** Returns the memberships of a session as plain data. */
  onStated(session: ServerSession<User>): readonly MembershipRecord[] {
    return this.#parts.index.freeze(session)
  }

  stop(): void {
    this.#frozen.stop()
  }

  #checkAgain(membership: Membership<User>): void {
    const { kinds, board, onError, clock } = this.#parts
    const { topic, session } = membership
    if (this.#isChecking(membership)) return
    const check: Check = { sinceMs: clock.now(), isStale: false }
    const keep = (): void => {
      if (this.#isCurrent(membership)) board.catchUp(membership)
    }
    const remove = (error: unknown): void => {
      if (!isAnswer(error)) onError(error)
      // An unexpected error permits nothing: the member is removed.
      if (this.#isCurrent(membership))
        this.#remove(membership, isAnswer(error) ? error : new HawserError("sys_internal_error"))
    }
    try {
      const { rules } = kinds.of(topic)
      const answer = permit(`join "${topic}"`, rules.canJoin?.({ topic, session }))
      if (answer === undefined) keep()
      else {
        this.#checks.set(membership, check)
        const settled = (act: () => void): void => {
          if (this.#checks.get(membership) === check) this.#checks.delete(membership)
          act()
          if (check.isStale && this.#isCurrent(membership)) this.#checkAgain(membership)
        }
        void answer.then(
          () => settled(keep),
          (error: unknown) => settled(() => remove(error)),
        )
      }
    } catch (error) {
      remove(error)
    }
  }

  /**
   * Returns true if a check is pending, and has it repeated when it settles. A check that is pending for
   * `requestTimeoutMaxMs` or longer does not count.
   */
  #isChecking(membership: Membership<User>): boolean {
    const { clock, limits } = this.#parts
    const check = this.#checks.get(membership)
    if (check === undefined || clock.now() - check.sinceMs >= limits.requestTimeoutMaxMs) return false
    check.isStale = true
    return true
  }

  #isCurrent(membership: Membership<User>): boolean {
    return this.#parts.index.get(membership.topic, membership.session) === membership
  }

  #newMembership(session: ServerSession<User>, { topic, state }: CheckedJoin): Membership<User> {
    return {
      id: this.#nextMember,
      topic,
      session,
      user: session.user.id,
      state,
      away: !session.attached,
      isShown: this.#parts.kinds.hasPresence(topic),
      isBehind: false,
    }
  }

  #add(membership: Membership<User>): void {
    const { board, hub, index, replicas, counters } = this.#parts
    this.#nextMember += 1
    hub.join(membership.topic, membership.session)
    index.add(membership)
    board.add(membership)
    replicas.enter(membership)
    counters.topicJoins += 1
  }

  #delete(membership: Membership<User>): void {
    const { board, hub, index, replicas } = this.#parts
    this.#checks.delete(membership)
    index.delete(membership)
    board.delete(membership)
    replicas.leave(membership)
    hub.leave(membership.topic, membership.session)
  }

  #remove(membership: Membership<User>, { code, message }: HawserError): void {
    this.#delete(membership)
    this.#parts.counters.topicMembersPutOut += 1
    const payload = leftPayload({ topic: membership.topic, code, message })
    this.#parts.fanOut.run(() => void membership.session.publish(this.#event("$leave", payload)))
    this.#onLeave(membership, "removed")
  }

  #onJoin(membership: Membership<User>): void {
    const { kinds, onError } = this.#parts
    const { topic, session } = membership
    const { rules } = kinds.of(topic)
    if (rules.onJoin === undefined) return
    callReporting(() => rules.onJoin?.({ topic, session, member: memberOf(membership) }), onError)
  }

  #onLeave(membership: Membership<User>, cause: LeaveCause): void {
    const { kinds, onError } = this.#parts
    const { topic } = membership
    const { rules } = kinds.of(topic)
    if (rules.onLeave === undefined) return
    callReporting(() => rules.onLeave?.({ topic, member: memberOf(membership), cause }), onError)
  }

  /** Builds the EVENT `$join` and encodes it. */
  #joined(topic: string, missed: LogRead, membership: Membership<User> | undefined): Publication {
    const { board, compact } = this.#parts
    const payload = joinedPayload({
      topic,
      epoch: missed.head.epoch,
      offset: missed.from,
      gap: missed.gap,
      more: membership === undefined,
      self: membership?.id ?? 0,
      presence: membership?.isShown === true ? board.listWith(membership) : undefined,
    })
    const joined = this.#event("$join", payload)
    joined.messages(compact)
    return joined
  }

  #replay(session: ServerSession<User>, { joined, page, membership }: SentPage<User>): void {
    const { counters, fanOut } = this.#parts
    const own = clientKey(session)
    fanOut.run(() => {
      // Before the end of the session, which a full send buffer defers: `onJoin` precedes `onLeave`.
      if (membership !== undefined) fanOut.defer(() => this.#onJoin(membership))
      session.publish(joined)
      for (const { message, except } of page) {
        // The publication excluded this client.
        if (except === own) continue
        session.publish({ volatile: false, key: undefined, messages: () => [message] })
        counters.topicReplays += 1
      }
    })
  }

  /** Returns the size of the largest publication that an empty send buffer holds beside the EVENT `$join`. */
  #publicationMaxBytes(topic: string): number {
    const { board, limits } = this.#parts
    const { sendBufferMaxBytes } = limits
    return sendBufferMaxBytes - Math.min(joinMaxBytes, sendBufferMaxBytes / 4) - board.listedBytes(topic)
  }

  /**
   * Returns the entries of one page. Its bounds are `topicPageMaxCount`, `topicPageMaxBytes` and half of the send buffer. It
   * has at least one entry if the send buffer has space for it. Otherwise the client repeats the join, and its
   * acknowledgements free the buffer.
   */
  #page(
    entries: readonly LogEntry[],
    { buffered }: ServerSession<User>,
    publicationMaxBytes: number,
  ): readonly LogEntry[] {
    const { limits } = this.#parts
    const maxCount = Math.min(limits.topicPageMaxCount, limits.sendBufferMaxCount / 2 - buffered.messages)
    const maxBytes = Math.min(limits.topicPageMaxBytes, limits.sendBufferMaxBytes / 2 - buffered.bytes)
    const freeBytes = publicationMaxBytes - buffered.bytes
    let bytes = 0
    let count = 0
    for (const { message } of entries) {
      bytes += message.bytes.length
      if (bytes > freeBytes || (count > 0 && (count >= maxCount || bytes > maxBytes))) break
      count += 1
    }
    return entries.slice(0, count)
  }

  #event(name: string, payload: unknown): Publication {
    const isSingle = true
    return new Publication(this.#parts.counters, { ...protocolEvent, name, payload, isSingle })
  }
}
