// Decides which event of a simulation comes next, and what time it is: one synchronous step at a time, so that
// millions of them take seconds. Promise jobs are the driver's business: it lets them run between steps.
// Must not know what happens in an event.
import type { Clock } from "../base/clock.ts"

interface Event {
  readonly atMs: number
  readonly order: number
  /** Undefined once it was cancelled: it leaves the heap when its turn comes, or when too many like it are there. */
  callback: (() => void) | undefined
}

/**
 * Times stand on a grid of fractions that numbers represent exactly, and are rounded up to it: a sum that comes out
 * a trace too small would wake somebody too early, who would set himself a timer of a trace, for ever.
 */
const gridPerMs = 1024
const maxDelayMs = 2 ** 31 - 1
/** Cancelled events that are tolerated before the heap is tidied. */
const leastTidied = 64

/** A discrete-event clock. It starts at 0; events at one time run in the order in which they were made. */
export class EventClock implements Clock {
  #nowMs = 0
  #made = 0
  #cancelled = 0
  /** A binary heap: the event at `i` is not later than those at `2i + 1` and `2i + 2`. */
  #heap: Event[] = []

  now(): number {
    return this.#nowMs
  }

  /** Events that have neither run nor been cancelled. */
  get pendingCount(): number {
    return this.#heap.length - this.#cancelled
  }

  /** Calls back once when `delayMs` have passed. Throws RangeError unless `delayMs` is from 0 to 2^31 - 1. */
  schedule(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= maxDelayMs)) {
      throw new RangeError(`the delay of a timer must be from 0 to ${maxDelayMs} ms, not ${delayMs}`)
    }
    this.#made += 1
    const atMs = Math.ceil((this.#nowMs + delayMs) * gridPerMs) / gridPerMs
    const event: Event = { atMs, order: this.#made, callback }
    this.#heap.push(event)
    this.#moveUp(this.#heap.length - 1)
    return () => {
      if (event.callback === undefined) return
      event.callback = undefined
      this.#cancelled += 1
      if (this.#cancelled > leastTidied && this.#cancelled * 2 > this.#heap.length) this.#tidy()
    }
  }

  /** When the next event runs; undefined when there is none. */
  get nextAtMs(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.callback !== undefined) return first.atMs
      this.#pop()
      this.#cancelled -= 1
    }
    return undefined
  }

  /** Moves time to the next event and runs it. False when there is none. What it throws passes through. */
  step(): boolean {
    const atMs = this.nextAtMs
    if (atMs === undefined) return false
    const event = this.#pop()
    this.#nowMs = atMs
    const callback = event?.callback
    if (event !== undefined) event.callback = undefined
    callback?.()
    return true
  }

  #tidy(): void {
    this.#heap = this.#heap.filter(({ callback }) => callback !== undefined)
    this.#cancelled = 0
    // A sorted list is a heap.
    this.#heap.sort((one, other) => one.atMs - other.atMs || one.order - other.order)
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) {
      heap[0] = last
      this.#moveDown()
    }
    return first
  }

  #moveUp(from: number): void {
    const heap = this.#heap
    const event = heap[from]
    let index = from
    while (event !== undefined && index > 0) {
      const above = (index - 1) >>> 1
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, event)) break
      heap[index] = parent
      index = above
    }
    if (event !== undefined) heap[index] = event
  }

  #moveDown(): void {
    const heap = this.#heap
    const event = heap[0]
    if (event === undefined) return
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      let child = heap[below]
      const right = heap[below + 1]
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        below += 1
        child = right
      }
      if (child === undefined || isBefore(event, child)) break
      heap[index] = child
      index = below
    }
    heap[index] = event
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
