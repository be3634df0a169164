// Publishes presence to the members of topics. All changes within one tick (`presenceTickMs`) go out as one `$presence` event,
// encoded once. A member whose session is detached receives no changes; after the resume it receives the whole list.
// Must not know permissions.
import { presencePayload } from "@hawser/protocol/core"
import type { EventSpec, ServerLimits } from "@hawser/protocol"
import type { PresenceEvent, PresenceList } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import { Presence } from "./presence.ts"
import type { PresenceLimits } from "./presence.ts"
import { note } from "./membership.ts"
import type { Membership } from "./membership.ts"
import type { PresenceRecord, TopicPresenceRecord } from "./topic-records.ts"
import { Publication } from "../session/conversation/publication.ts"

export interface PresenceBoardOptions extends Pick<Base, "timers" | "counters" | "limits" | "onError"> {
  readonly fanOut: FanOut
  /** Called when the changes of a topic are published. */
  readonly onTold?: (topic: string) => void
}

/** Elements of a listed member beside its state: one item of the list, an array with four items. */
const memberElements = 5
/** Bytes of the id of a member that left. */
const goneBytes = 9

/**
 * Returns bounds with which every EVENT fits into one message: three quarters of it for the member list and an eighth for ids
 * of members that left. The list also fits into half of a send buffer.
 */
function boundsOf(limits: ServerLimits): PresenceLimits & { readonly goneMaxCount: number } {
  const { clientMessage, presenceListMaxCount, presenceStateMaxBytes, sendBufferMaxBytes } = limits
  const { maxBytes, maxElements } = clientMessage
  // A state has no more elements than bytes.
  const fitting = Math.floor((0.75 * maxElements) / (memberElements + presenceStateMaxBytes))
  return {
    listMaxCount: Math.min(presenceListMaxCount, fitting),
    listMaxBytes: Math.min(0.75 * maxBytes, 0.5 * sendBufferMaxBytes),
    stateMaxBytes: presenceStateMaxBytes,
    goneMaxCount: Math.max(1, Math.floor(Math.min(maxBytes / goneBytes, maxElements) / 8)),
  }
}

/** Spec of the protocol's own events. The application has no schema for their payloads. */
export const protocolSpec: EventSpec = {
  payload: { "~standard": { version: 1, vendor: "hawser", validate: (value) => ({ value }) } },
}

/** Options that publications of the protocol's own events have in common. */
export const protocolEvent = { spec: protocolSpec, source: undefined }

export class PresenceBoard<User extends AuthenticatedUser> {
  readonly #options: PresenceBoardOptions
  readonly #bounds: ReturnType<typeof boundsOf>
  readonly #topics = new Map<string, Presence<Membership<User>>>()
  readonly #changed = new Set<string>()
  #cancelTick: (() => void) | undefined

  constructor(options: PresenceBoardOptions) {
    this.#options = options
    this.#bounds = boundsOf(options.limits)
  }

  list(topic: string): PresenceList | undefined {
    return this.#topics.get(topic)?.list()
  }

  /** Returns the member list as it will be after `add` of this membership. */
  listWith(membership: Membership<User>): PresenceList {
    return (this.#topics.get(membership.topic) ?? this.#empty()).listWith(membership)
  }

  /** Returns the largest size of a topic's member list in a message, in bytes. */
  listedBytes(topic: string): number {
    return this.#topics.get(topic)?.listedBytes ?? 0
  }

  /** No effect for a topic without presence, as `changed` and `delete`. */
  add(membership: Membership<User>): void {
    if (!membership.isShown) return
    const presence = this.#topics.get(membership.topic) ?? this.#empty()
    this.#topics.set(membership.topic, presence)
    presence.add(membership)
    this.#touch(membership.topic)
  }

  delete(membership: Membership<User>): void {
    const presence = this.#topics.get(membership.topic)
    if (presence === undefined) return
    presence.delete(membership)
    if (presence.size === 0) this.#topics.delete(membership.topic)
    else this.#touch(membership.topic)
  }

  /** Called when the state or `away` of a membership has changed. */
  changed(membership: Membership<User>): void {
    const presence = this.#topics.get(membership.topic)
    if (presence === undefined) return
    presence.changed(membership)
    this.#touch(membership.topic)
  }

  /** Sends the whole list to a reattached member that missed changes. */
  catchUp(membership: Membership<User>): void {
    const list = this.list(membership.topic)
    if (!membership.isBehind || list === undefined) return
    membership.isBehind = false
    note(membership)
    this.#publish([membership], { topic: membership.topic, isFull: true, ...list, gone: [] })
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  /** Returns the presence of all topics as plain data. */
  freeze(): TopicPresenceRecord[] {
    return [...this.all()].map(([topic, record]) => ({ topic, ...record() }))
  }

  /** Yields the topics, each with a function that returns its presence as plain data. */
  *all(): Generator<readonly [topic: string, record: () => PresenceRecord], void> {
    for (const [topic, presence] of this.#topics) yield [topic, () => presence.freeze()]
  }

  /**
   * Restores records of `freeze` in a board without members. Unpublished changes go out with the next tick.
   * @param membershipOf returns the restored membership of this member in this topic; undefined if its session was not restored.
   */
  thaw(
    records: readonly TopicPresenceRecord[],
    membershipOf: (topic: string, member: number) => Membership<User> | undefined,
  ): void {
    for (const record of records) {
      const { topic } = record
      const presence = this.#empty()
      presence.thaw(record, (member) => membershipOf(topic, member))
      if (presence.size === 0) continue
      this.#topics.set(topic, presence)
      if (presence.hasChange) this.#touch(topic)
    }
  }

  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#changed.clear()
  }

  #empty(): Presence<Membership<User>> {
    return new Presence<Membership<User>>(this.#bounds)
  }

  #touch(topic: string): void {
    const { limits, timers } = this.#options
    this.#changed.add(topic)
    this.#cancelTick ??= timers.after(limits.presenceTickMs, () => this.#tick())
  }

  #tick(): void {
    this.#cancelTick = undefined
    const topics = [...this.#changed]
    this.#changed.clear()
    for (const topic of topics) {
      const presence = this.#topics.get(topic)
      const change = presence?.takeChange()
      if (presence === undefined || change === undefined) continue
      this.#options.onTold?.(topic)
      const attached: Membership<User>[] = []
      for (const membership of presence.members()) {
        if (membership.session.attached) attached.push(membership)
        else if (!membership.isBehind) {
          membership.isBehind = true
          note(membership)
        }
      }
      this.#publishChange(attached, { topic, isFull: false, ...change })
    }
  }

  /** Publishes a change, in several messages if the ids of members that left exceed the bound of one. */
  #publishChange(memberships: readonly Membership<User>[], change: PresenceEvent): void {
    const { goneMaxCount } = this.#bounds
    for (let from = 0; from === 0 || from < change.gone.length; from += goneMaxCount) {
      const members = from === 0 ? change.members : []
      const gone = change.gone.slice(from, from + goneMaxCount)
      this.#publish(memberships, { ...change, members, gone })
    }
  }

  #publish(memberships: readonly Membership<User>[], event: PresenceEvent): void {
    const { fanOut, counters, onError } = this.#options
    if (memberships.length === 0) return
    counters.presenceUpdates += 1
    const payload = presencePayload(event)
    const publication = new Publication(counters, { ...protocolEvent, name: "$presence", payload })
    try {
      fanOut.run(() => {
        for (const membership of memberships) membership.session.publish(publication)
      })
    } catch (error) {
      // An internal error, because each state was checked before. The other topics of this tick are still published.
      onError(error)
    }
  }
}
