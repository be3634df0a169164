// Guards for functions that an application passes to `createClient`: clock, random numbers, page events. If one throws or
// returns an invalid value, the guard reports it once and uses the system's function from then on.
import type { Clock } from "@hawser/protocol"
import { systemClock } from "./system.ts"

type OnError = (error: unknown) => void

/**
 * Returns a function that always returns a finite number.
 * @param name of the option, for the report.
 */
export function guardedNumber(
  own: () => number,
  {
    name,
    fallback,
    onError,
  }: { readonly name: string; readonly fallback: () => number; readonly onError: OnError },
): () => number {
  let read = own
  return () => {
    try {
      const value: unknown = read()
      if (typeof value === "number" && Number.isFinite(value)) return value
      onError(
        new TypeError(`${name} returned ${describeValue(value)}, not a number; the system's is used instead`),
      )
    } catch (error) {
      onError(error)
    }
    read = fallback
    return fallback()
  }
}

/** Returns a guarded function of random numbers from 0 up to 1. */
export function guardedRandom(own: () => number, onError: OnError): () => number {
  const inRange = (): number => {
    const value = own()
    if (value < 0 || value >= 1) throw new RangeError(`random returned ${value}, not a number from 0 up to 1`)
    return value
  }
  return guardedNumber(inRange, { name: "random", fallback: Math.random, onError })
}

/** Returns a guarded clock. After a fault it continues as the system's clock, from the last time that was read. */
export function guardedClock(own: Clock, onError: OnError): Clock {
  let lastMs = 0
  let startedAtMs: number | undefined
  const now = guardedNumber(() => own.now(), {
    name: "clock.now",
    fallback: () => {
      startedAtMs ??= systemClock.now() - lastMs
      return systemClock.now() - startedAtMs
    },
    onError,
  })
  let timers = own
  return {
    now: () => {
      lastMs = now()
      return lastMs
    },
    schedule(delayMs, callback) {
      try {
        const cancel = timers.schedule(delayMs, callback)
        return () => attempt(cancel, onError)
      } catch (error) {
        onError(error)
        timers = systemClock
        return systemClock.schedule(delayMs, callback)
      }
    },
  }
}

/** Returns a guarded source of events. Errors of its subscription and of its disposer go to `onError`. */
export function guardedSource<T extends readonly unknown[]>(
  own: (listener: (...event: T) => void) => () => void,
  onError: OnError,
): (listener: (...event: T) => void) => () => void {
  return (listener) => {
    try {
      const stop = own(listener)
      return () => attempt(stop, onError)
    } catch (error) {
      onError(error)
      return () => {}
    }
  }
}

function attempt(work: () => void, onError: OnError): void {
  try {
    work()
  } catch (error) {
    onError(error)
  }
}

/** Returns a short description of a value, for an error. Calls no method of the value. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value)
  if (value === "") return "an empty text"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
