// The connection of a client and its memberships in topics, shared by all mounted components. The first component
// begins each, and the last one ends it in a microtask: a component that mounts again in the same commit, as in StrictMode or
// after a hot reload, finds it as it was. Must not know React.
import { HawserError } from "@hawser/client"
import type { ClientStatus, ClientTopic, Contract } from "@hawser/client"
import type { CoreClient } from "@hawser/client/core"

/** A topic of any contract. */
export type AnyTopic = ClientTopic<Contract, string>

export interface TopicHold {
  readonly client: CoreClient<Contract>
  readonly topic: AnyTopic
  /** Options of the join, if this is the first hold. */
  readonly options: { readonly recent?: number; readonly state?: unknown }
  /** Returns true once the component has read the error of the topic. */
  readonly readsError: () => boolean
}

interface Shared {
  providers: number
  /** Memberships of mounted components, by the name of the topic. */
  readonly stays: Map<string, Stay>
  /** Called after each change of an error. */
  readonly watchers: Set<() => void>
}

// The only state of this module: the hooks of two calls of `createHooks`, as before and after a hot reload, share it.
const sharedByClient = new WeakMap<object, Shared>()

export function sharedOf(client: object): Shared {
  const shared = sharedByClient.get(client) ?? { providers: 0, stays: new Map(), watchers: new Set() }
  sharedByClient.set(client, shared)
  return shared
}

/** Returns true for a client that accepts requests. */
export function isLive({ state }: ClientStatus): boolean {
  return state !== "idle" && state !== "closed"
}

/** Returns true for the error of a client that was closed, or that logs in anew. */
export function isClosedOnPurpose(error: unknown): boolean {
  return HawserError.is(error) && error.code === "client_closed"
}

/** Connects a client until each holder has called its returned function. */
export function holdConnection(client: CoreClient<Contract>): () => void {
  const shared = sharedOf(client)
  shared.providers += 1
  if (shared.providers === 1 && !isLive(client.current))
    client.connect().catch((error: unknown) => {
      // `cancelled`: the application has called `connect` with another token.
      if (!isClosedOnPurpose(error) && !(HawserError.is(error) && error.code === "cancelled")) throw error
    })
  return () => {
    shared.providers -= 1
    queueMicrotask(() => {
      if (shared.providers === 0) client.close()
    })
  }
}

/** Joins a topic until each holder has called its returned function. */
export function holdTopic(hold: TopicHold): () => void {
  const { stays, watchers } = sharedOf(hold.client)
  const { name } = hold.topic
  const stay = stays.get(name) ?? new Stay(hold, () => watchers.forEach((changed) => changed()))
  stays.set(name, stay)
  stay.holds.add(hold)
  // A component that mounts after a refusal tries again.
  if (stay.error !== undefined) stay.join()
  return () => {
    stay.holds.delete(hold)
    queueMicrotask(() => {
      if (stay.holds.size > 0 || stays.get(name) !== stay) return
      stays.delete(name)
      stay.end()
    })
  }
}

/** One membership, from its join until its last holder has left. */
class Stay {
  readonly holds = new Set<TopicHold>()
  /** Reason of the end; undefined while the client joins or is a member. */
  error: unknown
  readonly #first: TopicHold
  readonly #changed: () => void
  readonly #stop: () => void
  #isEnded = false

  constructor(first: TopicHold, changed: () => void) {
    this.#first = first
    this.#changed = changed
    this.#stop = first.topic.onLeft((reason) => this.#onRefused(reason))
    this.join()
  }

  end(): void {
    this.#isEnded = true
    this.#stop()
    // The leave stays under way after a timeout, and a closed client is no member.
    this.#first.topic.leave().catch(() => {})
  }

  join(): void {
    this.#set(undefined)
    const { options, topic } = this.#first
    const { recent, state } = options
    topic
      .join(recent === undefined ? { state } : { state, recent })
      .catch((error: unknown) => this.#onRefused(error))
  }

  /** @throws the error if no component reads it. */
  #onRefused(error: unknown): void {
    if (this.#isEnded) return
    if (isClosedOnPurpose(error)) {
      // After a log-in with another token the client is a member of no topic.
      if (isLive(this.#first.client.current)) this.join()
      return
    }
    this.#set(error)
    if (![...this.holds].some(({ readsError }) => readsError())) throw error
  }

  #set(error: unknown): void {
    this.error = error
    this.#changed()
  }
}
