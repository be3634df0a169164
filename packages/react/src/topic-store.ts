// A store of one topic for one component. It changes only for those parts that the component has read. Must not know React.
import type { Contract, Member, PresenceSnapshot, Store, TopicItem } from "@hawser/client"
import type { CoreClient } from "@hawser/client/core"
import type { TopicHook } from "./hooks-api.ts"
import { sharedOf } from "./stays.ts"
import type { AnyTopic } from "./stays.ts"

type AnyTopicHook = TopicHook<Contract, string>

export interface TopicStore extends Store<AnyTopicHook> {
  /** Snapshot on a server, and during hydration. */
  readonly empty: () => AnyTopicHook
  /** Returns true once `error` was read. */
  readonly readsError: () => boolean
}

export interface TopicStoreOptions {
  readonly client: CoreClient<Contract>
  /** Undefined: no topic. */
  readonly topic: AnyTopic | undefined
  /** Most items of the log. */
  readonly size: number | undefined
}

const noItems: readonly TopicItem<Contract, string>[] = Object.freeze([])
export const noPresence: PresenceSnapshot = Object.freeze({
  members: Object.freeze<Member[]>([]),
  count: 0,
  self: undefined,
  stale: true,
})

/** Rejects a call on the topic `null`. */
export function rejectNoTopic(): Promise<never> {
  const advice = "there is no topic to publish to; render the control only with a topic"
  return Promise.reject(new TypeError(`the topic's name is null: ${advice}`))
}

/** One part of a snapshot: taken from its source when it is first read. */
class Part<T> {
  readonly #source: () => T
  #taken: { readonly value: T } | undefined

  constructor(source: () => T) {
    this.#source = source
  }

  get isOutdated(): boolean {
    return this.#taken !== undefined && this.#taken.value !== this.#source()
  }

  read(): T {
    this.#taken ??= { value: this.#source() }
    return this.#taken.value
  }
}

/** @throws RangeError for a size that is no whole number from 1 to 1,024. */
export function topicStore({ client, topic, size }: TopicStoreOptions): TopicStore {
  const { stays, watchers } = sharedOf(client)
  const log = topic?.log(size === undefined ? {} : { size })
  let readsError = false
  const send = topic === undefined ? rejectNoTopic : topic.publish.bind(topic)
  const take = () => {
    const parts = {
      log: new Part(() => log?.snapshot() ?? noItems),
      members: new Part(() => topic?.presence.snapshot().members ?? noPresence.members),
      error: new Part(() => {
        readsError = true
        return topic && stays.get(topic.name)?.error
      }),
    }
    return { parts, view: viewOf(parts, send) }
  }
  let shown = take()
  const empty = { log: noItems, gap: undefined, members: noPresence.members, error: undefined, send }
  return {
    readsError: () => readsError,
    empty: () => empty,
    snapshot() {
      if (Object.values(shown.parts).some(({ isOutdated }) => isOutdated)) shown = take()
      return shown.view
    },
    subscribe(changed) {
      if (topic === undefined || log === undefined) return () => {}
      const stops = [log.subscribe(changed), topic.presence.subscribe(changed)]
      watchers.add(changed)
      return () => {
        watchers.delete(changed)
        for (const stop of stops) stop()
      }
    },
  }
}

interface ViewParts {
  readonly log: Part<readonly TopicItem<Contract, string>[]>
  readonly members: Part<readonly Member[]>
  readonly error: Part<unknown>
}

function viewOf({ log, members, error }: ViewParts, send: AnyTopicHook["send"]): AnyTopicHook {
  return {
    get log() {
      return log.read()
    },
    get gap() {
      return log.read().findLast((item) => item.kind === "gap")?.gap
    },
    get members() {
      return members.read()
    },
    get error() {
      return error.read()
    },
    send,
  }
}
