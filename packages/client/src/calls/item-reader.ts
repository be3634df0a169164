// The reader's end of one stream: received items, waiting readers, and the credit of the server. An item beyond the credit
// ends the stream with `invalid_reply`. Must not know references or sessions.
//
// Invariants:
//  1. Credit and unread items are together at most `window`.
//  2. Items are read in order of arrival, each once, and before the stream's end.
//  3. An error is thrown once; afterwards the stream is over.
import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
import { check } from "../base/checked.ts"

export interface ItemReaderOptions {
  /** Name of the stream, for errors. */
  readonly name: string
  readonly schema: Schema
  /** Most items that the server may send ahead of the reader. */
  readonly window: number
  readonly signal: AbortSignal | undefined
  /** Grants the server credit for this many more items. */
  readonly grant: (items: number) => void
  /** Called when the reader leaves the stream: the server can stop. */
  readonly giveUp: (reason: HawserError) => void
}

type Read = IteratorResult<unknown, undefined>

interface Waiting {
  readonly resolve: (result: Read | Promise<Read>) => void
  readonly reject: (error: HawserError) => void
}

export class ItemReader implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: ItemReaderOptions
  readonly #items: unknown[] = []
  readonly #waiting: Waiting[] = []
  /** Items that the server may still send. */
  #credit = 0
  /** Items read since the last grant. */
  #readCount = 0
  #end: { readonly error: HawserError | undefined } | undefined

  constructor(options: ItemReaderOptions) {
    this.#options = options
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Grants the first window: a session has taken the request of the stream. */
  begin(): void {
    this.#credit = 0
    this.#grant(this.#options.window)
  }

  /** Adds a received item. */
  push(payload: unknown): void {
    if (this.#end !== undefined) return
    if (this.#credit === 0) {
      const message = `the server sent more items of "${this.#options.name}" than its credit allows`
      this.#options.giveUp(new HawserError("invalid_reply", { message }))
      return
    }
    this.#credit -= 1
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#items.push(payload)
    else waiting.resolve(this.#read(payload))
  }

  /** Ends the stream after the received items. Ignores a second end. */
  finish(error: HawserError | undefined): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    for (const waiting of this.#waiting.splice(0)) this.#readEnd(waiting)
  }

  next(): Promise<Read> {
    this.#checkSignal()
    if (this.#items.length > 0) return this.#read(this.#items.shift())
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject }
      if (this.#end === undefined) this.#waiting.push(waiting)
      else this.#readEnd(waiting)
    })
  }

  /** Leaves the stream: drops unread items and cancels the request. */
  return(): Promise<Read> {
    this.#leave(new HawserError("cancelled", { message: `the reader of "${this.#options.name}" left it` }))
    return Promise.resolve({ value: undefined, done: true })
  }

  async #read(payload: unknown): Promise<Read> {
    const { name, schema, window } = this.#options
    this.#readCount += 1
    if (this.#end === undefined && this.#readCount >= window / 2) this.#grant(this.#readCount)
    const checked = await check(schema, payload, `an item of "${name}"`)
    if (checked.ok) return { value: checked.value, done: false }
    this.#leave(checked.error)
    throw checked.error
  }

  #readEnd({ resolve, reject }: Waiting): void {
    const error = this.#end?.error
    this.#end = { error: undefined }
    if (error === undefined) resolve({ value: undefined, done: true })
    else reject(error)
  }

  #grant(items: number): void {
    this.#readCount = 0
    this.#credit += items
    this.#options.grant(items)
  }

  #leave(reason: HawserError): void {
    this.#items.length = 0
    this.finish(undefined)
    this.#end = { error: undefined }
    this.#options.giveUp(reason)
  }

  /** Drops unread items after an abort, also those of a stream that has ended. */
  #checkSignal(): void {
    const { signal, name } = this.#options
    if (signal?.aborted !== true || this.#items.length === 0) return
    this.#items.length = 0
    const message = `"${name}" was aborted by its caller`
    this.#end = { error: this.#end?.error ?? new HawserError("cancelled", { message, cause: signal.reason }) }
  }
}
