// Listens to a page: its events, and sources of them. Must not know connections.

/** The part of an event target that the client uses. */
export interface PageEvents {
  addEventListener(type: string, listener: (event: object) => void): void
  removeEventListener(type: string, listener: (event: object) => void): void
}

/** Adds a listener. Returns the function that removes it. */
export function listen(target: PageEvents, type: string, listener: (event: object) => void): () => void {
  target.addEventListener(type, listener)
  return () => target.removeEventListener(type, listener)
}

/** Listens while it is on. */
export class PageWatch {
  readonly #listen: () => () => void
  #stop: (() => void) | undefined

  /** @param listenToAll begins to listen, and returns the function that ends it. */
  constructor(listenToAll: () => () => void) {
    this.#listen = listenToAll
  }

  set(isOn: boolean): void {
    if (isOn) {
      this.#stop ??= this.#listen()
    } else {
      this.#stop?.()
      this.#stop = undefined
    }
  }
}
