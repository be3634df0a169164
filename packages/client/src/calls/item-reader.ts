// The reader's end of one stream: received items, waiting readers, and the credit of the server. An item beyond the credit
// ends the stream with `invalid_reply`. Must not know references or sessions.
//
// Invariants:
//  1. Credit and unread items are together at most `window`.
//  2. Items are read in order of arrival, each once, and before the stream's end.
//  3. An error is thrown once; afterwards the stream is over.
import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
import { AsyncQueue } from "../base/async-queue.ts"
import type { Read } from "../base/async-queue.ts"
import { check } from "../base/checked.ts"

export interface ItemReaderOptions {
  /** Name of the stream, for errors. */
  readonly name: string
  /** Undefined: items are read as they came. */
  readonly schema: Schema | undefined
  /** Most items that the server may send ahead of the reader. */
  readonly window: number
  readonly signal: AbortSignal | undefined
  /** Grants the server credit for this many more items. */
  readonly grant: (items: number) => void
  /** Called when the reader leaves the stream: the server can stop. */
  readonly giveUp: (reason: HawserError) => void
}

export class ItemReader extends AsyncQueue<unknown> {
  readonly #options: ItemReaderOptions
  /** Items that the server may still send. */
  #credit = 0
  /** Items read since the last grant. */
  #readCount = 0

  constructor(options: ItemReaderOptions) {
    super({
      maxCount: options.window,
      read: (payload) => this.#read(payload),
      onReturn: () => {
        const message = `the reader of "${options.name}" left it`
        options.giveUp(new HawserError("cancelled", { message }))
      },
    })
    this.#options = options
  }

  /** Grants the first window: a session has taken the request of the stream. */
  begin(): void {
    this.#credit = 0
    this.#grant(this.#options.window)
  }

  /** Adds a received item. */
  override push(payload: unknown): void {
    if (this.isEnded) return
    if (this.#credit === 0) {
      const message = `the server sent more items of "${this.#options.name}" than its credit allows`
      this.#options.giveUp(new HawserError("invalid_reply", { message }))
      return
    }
    this.#credit -= 1
    super.push(payload)
  }

  /** Reads the next item. After an abort it drops unread items, also those of a stream that has ended. */
  override next(): Promise<Read<unknown>> {
    const { signal, name } = this.#options
    if (signal?.aborted === true && this.size > 0) {
      const message = `"${name}" was aborted by its caller`
      this.abandon(this.error ?? new HawserError("cancelled", { message, cause: signal.reason }))
    }
    return super.next()
  }

  async #read(payload: unknown): Promise<Read<unknown>> {
    const { name, schema, window, giveUp } = this.#options
    this.#readCount += 1
    if (!this.isEnded && this.#readCount >= window / 2) this.#grant(this.#readCount)
    if (schema === undefined) return { value: payload, done: false }
    const checked = await check(schema, payload, `an item of "${name}"`)
    if (checked.ok) return { value: checked.value, done: false }
    this.abandon()
    giveUp(checked.error)
    throw checked.error
  }

  #grant(items: number): void {
    this.#readCount = 0
    this.#credit += items
    this.#options.grant(items)
  }
}
