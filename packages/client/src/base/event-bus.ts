// Calls listeners, sync and async, and loses none of their errors. Knows no frames and no sockets.
import { guardedReporter, isThenable } from "./report.ts"

export type Listener<T> = (value: T) => unknown
export type Unsubscribe = () => void

export interface ListenOptions {
  /** Aborting unsubscribes. */
  readonly signal?: AbortSignal
}

export interface EventBusOptions {
  /**
   * Called with every throw and rejection of a listener; the other listeners run all the same. If it throws or rejects
   * itself, both errors go to `reportError`, or to the console.
   */
  readonly onError: (error: unknown, event: string) => unknown
}

/** Events is a map from event name to payload. */
export class EventBus<Events extends object> {
  readonly #listeners = new Map<string, Set<(value: never) => unknown>>()
  readonly #onError: (error: unknown, event: string) => void

  constructor(options: EventBusOptions) {
    this.#onError = guardedReporter(options.onError)
  }

  /** Calls `listener` for every later event of this name. The same function may be added twice. */
  on<K extends keyof Events & string>(
    event: K,
    listener: Listener<Events[K]>,
    options: ListenOptions = {},
  ): Unsubscribe {
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

  /** True while nobody listens to anything. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0
  }

  listenerCount(event: keyof Events & string): number {
    return this.#listeners.get(event)?.size ?? 0
  }

  /**
   * Starts every listener that is subscribed now, in order of subscription; does not wait for async ones.
   * Subscribing and unsubscribing meanwhile is safe: a removed listener is not called, a new one from the next event on.
   */
  emit<K extends keyof Events & string>(event: K, value: Events[K]): void {
    this.#run(event, value, undefined)
  }

  /** The same, and resolves when all of them are done. Never rejects: errors go to `onError`. */
  async emitAsync<K extends keyof Events & string>(event: K, value: Events[K]): Promise<void> {
    const running: Promise<void>[] = []
    this.#run(event, value, running)
    await Promise.all(running)
  }

  /** @param running collects the listeners that are not done; undefined where nobody waits for them. */
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
      // `on` is the only way in and ties the listener's parameter to the event's name.
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
