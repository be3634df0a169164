// Calls listeners, sync and async, and reports each of their errors. Must not know frames or sockets.
import { assertOptionNames } from "@hawser/protocol/core"
import { guardedReporter, isThenable } from "./report.ts"

/** Listener of an event. Its errors and rejections go to `onError`. */
export type Listener<T> = (value: T) => unknown
/** Removes a listener. A second call has no effect. */
export type Unsubscribe = () => void

/** Options of a subscription. */
export interface ListenOptions {
  /** Unsubscribes the listener when it aborts. An aborted signal subscribes nothing. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of an `EventBus`. */
export interface EventBusOptions {
  /**
   * Called with each error and rejection of a listener; the other listeners still run. If it throws or rejects, both errors
   * go to the console.
   */
  readonly onError: (error: unknown, event: string) => unknown
}

/** Delivers events to listeners. `Events` maps event names to payloads. */
export class EventBus<Events extends object> {
  readonly #listeners = new Map<string, Set<(value: never) => unknown>>()
  readonly #onError: (error: unknown, event: string) => void

  /** Creates a bus without listeners. */
  constructor(options: EventBusOptions) {
    this.#onError = guardedReporter(options.onError)
  }

  /**
   * Calls `listener` for each later event of this name. The same function may be added twice.
   * @throws TypeError for an unknown option.
   */
  on<K extends keyof Events & string>(
    event: K,
    listener: Listener<Events[K]>,
    options: ListenOptions = {},
  ): Unsubscribe {
    assertOptionNames(`a listener of "${event}"`, options, { signal: 0 })
    const { signal } = options
    if (signal?.aborted === true) return () => {}
    const own = (value: Events[K]): unknown => listener(value)
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(own))
    const unsubscribe = (): void => {
      signal?.removeEventListener("abort", unsubscribe)
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(event) === listeners) this.#listeners.delete(event)
    }
    signal?.addEventListener("abort", unsubscribe, { once: true })
    return unsubscribe
  }

  /** Calls `listener` for the next event of this name only. */
  once<K extends keyof Events & string>(
    event: K,
    listener: Listener<Events[K]>,
    options: ListenOptions = {},
  ): Unsubscribe {
    const unsubscribe = this.on(
      event,
      (value) => {
        unsubscribe()
        return listener(value)
      },
      options,
    )
    return unsubscribe
  }

  /** True while the bus has no listener. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0
  }

  /** Returns the number of listeners of an event. */
  listenerCount(event: keyof Events & string): number {
    return this.#listeners.get(event)?.size ?? 0
  }

  /**
   * Calls every current listener, in order of subscription, without waiting for async ones. A listener that is removed
   * during the call is not called; a listener that is added is called from the next event on.
   */
  emit<K extends keyof Events & string>(event: K, value: Events[K]): void {
    this.#run(event, value, undefined)
  }

  /** Calls every current listener like `emit`. Resolves when all are done; never rejects: errors go to `onError`. */
  async emitAsync<K extends keyof Events & string>(event: K, value: Events[K]): Promise<void> {
    const running: Promise<void>[] = []
    this.#run(event, value, running)
    await Promise.all(running)
  }

  /** @param running collects the promises of async listeners; undefined: no caller awaits them. */
  #run(event: string, value: unknown, running: Promise<void>[] | undefined): void {
    const listeners = this.#listeners.get(event)
    if (listeners === undefined) return
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue
      const promise = this.#call(event, listener, value)
      if (promise !== undefined) running?.push(promise)
    }
  }

  #call(event: string, listener: (value: never) => unknown, value: unknown): Promise<void> | undefined {
    try {
      // Only `on` adds listeners, and it ties the listener's parameter to the event's name.
      // oxlint-disable-next-line typescript/consistent-type-assertions -- see above
      const result = listener(value as never)
      if (!isThenable(result)) return undefined
      return Promise.resolve(result).then(
        () => {},
        (error: unknown) => this.#onError(error, event),
      )
    } catch (error) {
      this.#onError(error, event)
      return undefined
    }
  }
}
