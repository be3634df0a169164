// The reader's end of one stream: items that arrived and wait to be read, readers that wait for items, and how many
// more the server may send. Knows no references and no sessions.
//
// Invariants:
//  1. What the server may still send and what waits here are together at most `window`.
//  2. Items are read in the order in which they came, each once, and before the stream's end.
//  3. An error is thrown once; afterwards the stream is over.
import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
import { AsyncQueue } from "../base/async-queue.ts"
import { check } from "../base/checked.ts"

export interface ItemReaderOptions {
  /** Of the stream, for messages. */
  readonly name: string
  readonly schema: Schema
  readonly window: number
  readonly signal: AbortSignal | undefined
  /** Lets the server send this many more. */
  readonly grant: (items: number) => void
  /** Nobody wants more. */
  readonly giveUp: (reason: HawserError) => void
}

export class ItemReader implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: ItemReaderOptions
  readonly #queue: AsyncQueue<unknown>
  /** Items that the server may still send. */
  #credit = 0
  /** Items read since the last grant. */
  #readCount = 0

  constructor(options: ItemReaderOptions) {
    this.#options = options
    this.#queue = new AsyncQueue({
      maxCount: options.window,
      read: (payload) => this.#read(payload),
      onReturn: () => {
        const message = `the reader of "${options.name}" left it`
        options.giveUp(new HawserError("cancelled", { message }))
      },
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The server knows of the stream: nothing of it was ever read. */
  begin(): void {
    this.#credit = 0
    this.#grant(this.#options.window)
  }

  push(payload: unknown): void {
    if (this.#queue.isEnded) return
    if (this.#credit === 0) {
      const message = `the server sent more items of "${this.#options.name}" than it was asked for`
      this.#options.giveUp(new HawserError("invalid_reply", { message }))
      return
    }
    this.#credit -= 1
    this.#queue.push(payload)
  }

  /** The stream ended after what was pushed. Only the first end counts. */
  finish(error: HawserError | undefined): void {
    this.#queue.end(error)
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    this.#lookAtSignal()
    return this.#queue.next()
  }

  /** Leaves the stream: what was not read is let go, and the server stops. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    return this.#queue.return()
  }

  async #read(payload: unknown): Promise<IteratorResult<unknown, undefined>> {
    const { name, schema, window, giveUp } = this.#options
    this.#readCount += 1
    if (!this.#queue.isEnded && this.#readCount >= window / 2) this.#grant(this.#readCount)
    const checked = await check(schema, payload, `an item of "${name}"`)
    if (checked.ok) return { value: checked.value, done: false }
    this.#queue.abandon()
    giveUp(checked.error)
    throw checked.error
  }

  #grant(items: number): void {
    this.#readCount = 0
    this.#credit += items
    this.#options.grant(items)
  }

  /** An aborted caller reads no more items, also if the stream has ended before they were read. */
  #lookAtSignal(): void {
    const { signal, name } = this.#options
    if (signal?.aborted !== true || this.#queue.size === 0) return
    const message = `"${name}" was aborted by its caller`
    const cancelled = new HawserError("cancelled", { message, cause: signal.reason })
    this.#queue.abandon(this.#queue.error ?? cancelled)
  }
}
