// The replicas of topics: one instance for each topic and replica of its kind, from the first member or the first record to the
// end of the topic's last session. Members see them; their views begin and end with the membership. Records that the server
// writes while the topic has no session wait for one, in at most `idleTopicsMax` topics. Must not know cells and frames.
import { unknownName } from "@hawser/protocol/core"
import type { ReplicaSpec } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Session } from "../base/session.ts"
import { noView } from "../replicas/replica.ts"
import type { Replica } from "../replicas/replica.ts"
import type { OpenReplica, Replicas, ViewingSession } from "../replicas/replicas.ts"
import type { Values } from "../replicas/replica-cell.ts"
import type { ReplicaStore } from "../replicas/replica-store.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Hub } from "./hub.ts"
import type { MembershipIndex } from "./membership-index.ts"
import type { TopicKinds } from "./topic-kinds.ts"

export interface TopicReplicasOptions<User extends AuthenticatedUser>
  extends Pick<Base, "atomic" | "limits">, Pick<Sessions<User>, "registry"> {
  readonly replicas: Replicas
  readonly kinds: TopicKinds<User>
  readonly index: MembershipIndex<User>
  readonly hub: Pick<Hub<ServerSession<User>>, "members">
}

/** A member, as its views need it. */
interface Viewer {
  readonly topic: string
  readonly session: ViewingSession
}

/** A replica of a topic, which may have no instance yet. */
interface Named {
  readonly topic: string
  readonly name: string
  readonly spec: ReplicaSpec
}

export class TopicReplicas<User extends AuthenticatedUser> {
  readonly #options: TopicReplicasOptions<User>
  /** Instances by topic, then by name. */
  readonly #topics = new Map<string, Map<string, OpenReplica>>()
  /** Topics whose records were written while they had no session, oldest first. Some may have got sessions since. */
  readonly #idle = new Set<string>()

  constructor(options: TopicReplicasOptions<User>) {
    this.#options = options
  }

  /** Opens the views of a new member, in all replicas of its topic. */
  enter({ topic, session }: Viewer): void {
    const { kinds, replicas } = this.#options
    for (const [name, spec] of Object.entries(kinds.of(topic).spec.replicas))
      replicas.enter(this.#open({ topic, name, spec }), session)
  }

  /** Closes the views of a member that leaves. */
  leave({ topic, session }: Viewer): void {
    for (const open of this.#topics.get(topic)?.values() ?? []) this.#options.replicas.leave(open, session)
  }

  /** Ends the instances of a topic without members. */
  end(topic: string): void {
    for (const open of this.#topics.get(topic)?.values() ?? []) this.#options.replicas.close(open)
    this.#topics.delete(topic)
    this.#idle.delete(topic)
  }

  /** @throws TypeError for an invalid name of a topic, a kind that the contract lacks, and a replica that the kind lacks. */
  replica(topic: string, name: string): Replica<Values, Session<User>> {
    const { replicas, kinds, index, limits, registry } = this.#options
    const specs = kinds.spec(topic).replicas
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
    if (spec === undefined) throw unknownName(`the topic "${topic}" has no replica`, name, Object.keys(specs))
    const named = { topic, name, spec }
    const found = (): ReplicaStore | undefined => this.#topics.get(topic)?.get(name)?.store
    return {
      name,
      get size() {
        return found()?.size ?? 0
      },
      has: (id) => found()?.has(id) ?? false,
      get: (id) => found()?.get(id),
      ids: () => found()?.ids() ?? [].values(),
      values: () => found()?.values() ?? [].values(),
      entries: () => found()?.entries() ?? [].values(),
      [Symbol.iterator]: () => found()?.entries() ?? [].values(),
      set: (id, fields) =>
        this.#change(named, (store) => {
          if (store.size >= limits.topicReplicaMaxCount && !store.has(id)) throw fullError(store, limits)
          store.set(id, fields)
        }),
      patch: (id, fields) => this.#change(named, (store) => store.patch(id, fields)),
      remove: (id) => this.#change(named, (store) => store.remove(id)),
      view: (session, viewpoint) => {
        const own = registry.own(session, "open a view for")
        if (own === undefined || index.get(topic, own) === undefined) return noView
        return replicas.view(this.#open(named), own, viewpoint)
      },
    }
  }

  /** Returns the store of a replica that an earlier process kept. @throws TypeError as `replica`. */
  restore(topic: string, name: string): ReplicaStore {
    const spec = this.#options.kinds.spec(topic).replicas[name]
    if (spec === undefined) throw new TypeError(`the topic "${topic}" has no replica ${name}`)
    return this.#open({ topic, name, spec }).store
  }

  /** Called when all sessions are restored. Topics without one are idle. */
  endRestore(): void {
    for (const topic of this.#topics.keys()) this.#becomeIdle(topic)
  }

  /** Returns the instance; begins it if there is none. */
  #open({ topic, name, spec }: Named): OpenReplica {
    const known = this.#topics.get(topic)?.get(name)
    if (known !== undefined) return known
    const open = this.#options.replicas.open({ name, spec, topic })
    const ofTopic = this.#topics.get(topic) ?? new Map<string, OpenReplica>()
    this.#topics.set(topic, ofTopic.set(name, open))
    return open
  }

  #change<T>(named: Named, change: (store: ReplicaStore) => T): T {
    const { atomic, replicas } = this.#options
    const { topic } = named
    const { store } = this.#open(named)
    try {
      return change(store)
    } finally {
      if (store.isDirty) replicas.changed(store)
      // An atomic change may be undone: the instances of the topic must not end before its end.
      if (atomic.isOpen) atomic.onEnd(() => this.#becomeIdle(topic))
      else this.#becomeIdle(topic)
    }
  }

  /** Keeps the records of a topic without sessions, or ends its instances if they have none. No effect on one with sessions. */
  #becomeIdle(topic: string): void {
    const { hub, limits } = this.#options
    if (hub.members(topic).size > 0) return
    const open = [...(this.#topics.get(topic)?.values() ?? [])]
    if (open.every(({ store }) => store.size === 0)) {
      this.end(topic)
      return
    }
    this.#idle.add(topic)
    for (const oldest of this.#idle) {
      if (this.#idle.size <= limits.idleTopicsMax) return
      if (hub.members(oldest).size > 0) this.#idle.delete(oldest)
      else this.end(oldest)
    }
  }
}

function fullError(
  { name, topic, size }: ReplicaStore,
  { topicReplicaMaxCount }: { readonly topicReplicaMaxCount: number },
): RangeError {
  return new RangeError(
    `the replica "${name}" of the topic "${topic}" has ${size} records; at most ${topicReplicaMaxCount} are allowed (limits.topicReplicaMaxCount)`,
  )
}
