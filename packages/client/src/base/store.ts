// Stores: values that a user-interface framework can read and watch. A snapshot is built when it is read, and kept until the
// next change; a change of a store that has no reader costs nothing. Must not know the values.
import type { TimerQueue } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { EventBus } from "./event-bus.ts"
import type { Unsubscribe } from "./event-bus.ts"

/**
 * A value that changes, for `useSyncExternalStore` and its like. Both methods work without their object:
 * `useSyncExternalStore(store.subscribe, store.snapshot)`.
 */
export interface Store<T> {
  /** Returns the current value: the same object until the next change. It is never changed in place; do not write to it. */
  readonly snapshot: () => T
  /**
   * Calls `changed` after each change, at once, and once for a message of the server that causes several. Errors of `changed`
   * go to `onError`. Returns the unsubscribe function.
   */
  readonly subscribe: (changed: () => void) => Unsubscribe
}

export interface StoreOptions<T> {
  readonly build: () => T
  readonly onError: (error: unknown) => void
}

/** A store whose owner reports each change. */
export class CachedStore<T extends object> implements Store<T> {
  readonly #build: () => T
  readonly #bus: EventBus<{ changed: undefined }>
  #snapshot: T | undefined

  constructor({ build, onError }: StoreOptions<T>) {
    this.#build = build
    this.#bus = new EventBus({ onError })
  }

  get isWatched(): boolean {
    return !this.#bus.isEmpty
  }

  readonly snapshot = (): T => (this.#snapshot ??= Object.freeze(this.#build()))

  readonly subscribe = (changed: () => void): Unsubscribe => this.#bus.on("changed", changed)

  /** Drops the snapshot, and calls the subscribers. */
  changed(): void {
    this.#snapshot = undefined
    this.#bus.emit("changed", undefined)
  }
}

export interface SampledStoreOptions<T> extends StoreOptions<T> {
  readonly clock: Clock
  readonly timers: TimerQueue
  /** Age at which a snapshot is replaced, in milliseconds. */
  readonly everyMs: number
  /** Returns false while the value cannot change. Then no timer runs. */
  readonly isLive: () => boolean
}

/** A store of a value without reported changes: it is read again at intervals. A timer runs only while it is watched. */
export class SampledStore<T extends object> implements Store<T> {
  readonly #options: SampledStoreOptions<T>
  readonly #store: CachedStore<T>
  #takenAtMs = 0
  #cancel: (() => void) | undefined

  constructor(options: SampledStoreOptions<T>) {
    this.#options = options
    const build = (): T => {
      this.#takenAtMs = options.clock.now()
      return options.build()
    }
    this.#store = new CachedStore({ build, onError: options.onError })
  }

  readonly snapshot = (): T => {
    const { clock, everyMs } = this.#options
    // Without subscribers this calls none: it only drops an old snapshot.
    if (!this.#store.isWatched && clock.now() - this.#takenAtMs >= everyMs) this.#store.changed()
    return this.#store.snapshot()
  }

  readonly subscribe = (changed: () => void): Unsubscribe => {
    const unsubscribe = this.#store.subscribe(changed)
    this.#schedule()
    return () => {
      unsubscribe()
      this.#schedule()
    }
  }

  /** Takes the value anew, and adapts the timer: `isLive` may have changed. */
  changed(): void {
    this.#store.changed()
    this.#schedule()
  }

  #schedule(): void {
    const { everyMs, isLive, timers } = this.#options
    if (!this.#store.isWatched || !isLive()) {
      this.#cancel?.()
      this.#cancel = undefined
      return
    }
    this.#cancel ??= timers.after(everyMs, () => {
      this.#cancel = undefined
      this.changed()
    })
  }
}
