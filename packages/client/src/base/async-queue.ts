// A bounded queue between one producer and the readers of an async iterator. At the bound it drops the oldest item,
// unless the producer brings another policy.
//
// Invariants:
//  1. Items are read in the order in which they were pushed, each once, and before the end.
//  2. Items wait only while no reader does.
//  3. An error at the end is thrown once; afterwards the iterator is done.

export interface AsyncQueueOptions<T, R> {
  /** Most items that wait for a reader. */
  readonly maxCount: number
  /** Turns an item into the result of `next`, at the moment of reading. */
  readonly read: (item: T) => Read<R> | Promise<Read<R>>
  /** Called by `return`: the reader leaves. */
  readonly onReturn: () => void
}

export type Read<R> = IteratorResult<R, undefined>

/** Reduces the waiting items, which are one above the bound. */
export type OverflowPolicy<T> = (items: T[]) => void

interface Reader<R> {
  readonly resolve: (result: Read<R> | Promise<Read<R>>) => void
  readonly reject: (error: Error) => void
}

export class AsyncQueue<T, R = T> implements AsyncIterableIterator<R, undefined> {
  readonly #options: AsyncQueueOptions<T, R>
  readonly #items: T[] = []
  readonly #readers: Reader<R>[] = []
  #end: { readonly error: Error | undefined } | undefined

  constructor(options: AsyncQueueOptions<T, R>) {
    this.#options = options
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Items that wait for a reader. */
  get size(): number {
    return this.#items.length
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  /** The error that the end will throw; undefined if there is none or it was thrown. */
  get error(): Error | undefined {
    return this.#end?.error
  }

  /** Gives the item to the first reader that waits, or queues it. After the end it drops the item. */
  push(item: T, onOverflow: OverflowPolicy<T> = dropOldest): void {
    if (this.#end !== undefined) return
    const reader = this.#readers.shift()
    if (reader !== undefined) reader.resolve(this.#options.read(item))
    else if (this.#items.push(item) > this.#options.maxCount) onOverflow(this.#items)
  }

  /** Ends the iteration after the items that wait. Only the first end counts. */
  end(error?: Error): void {
    if (this.#end === undefined) this.#finish(error)
  }

  /** Drops the items that wait and ends the iteration now, in place of an earlier end. */
  abandon(error?: Error): void {
    this.#items.length = 0
    this.#finish(error)
  }

  next(): Promise<Read<R>> {
    for (const item of this.#items.splice(0, 1)) return Promise.resolve(this.#options.read(item))
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject }
      if (this.#end === undefined) this.#readers.push(reader)
      else this.#readEnd(reader)
    })
  }

  return(): Promise<Read<R>> {
    this.abandon()
    this.#options.onReturn()
    return Promise.resolve({ value: undefined, done: true })
  }

  #finish(error: Error | undefined): void {
    this.#end = { error }
    for (const reader of this.#readers.splice(0)) this.#readEnd(reader)
  }

  #readEnd({ resolve, reject }: Reader<R>): void {
    const error = this.#end?.error
    this.#end = { error: undefined }
    if (error === undefined) resolve({ value: undefined, done: true })
    else reject(error)
  }
}

function dropOldest(items: unknown[]): void {
  items.shift()
}

/** `read` of a queue whose items need no work. */
export function asItIs<T>(value: T): Read<T> {
  return { value, done: false }
}
