// A value to which components subscribe.
import { useEffect, useState } from "preact/hooks"

export interface Store<T> {
  readonly value: T
  set(value: T): void
  /** Calls `listener` after every change. Returns the unsubscribe function. */
  subscribe(listener: (value: T) => void): () => void
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<(value: T) => void>()
  return {
    get value() {
      return value
    },
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener(next)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState<T>(store.value)
  useEffect(() => {
    setValue(() => store.value)
    return store.subscribe((next) => setValue(() => next))
  }, [store])
  return value
}
