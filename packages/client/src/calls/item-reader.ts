// The reader's end of one stream: items that arrived and wait to be read, readers that wait for items, and how many
// more the server may send. Knows no references and no sessions.
//
// Invariants:
//  1. What the server may still send and what waits here are together at most `window`.
//  2. Items are read in the order in which they came, each once, and before the stream's end.
//  3. An error is thrown once; afterwards the stream is over.
import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
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

type Read = IteratorResult<unknown, undefined>

interface Waiting {
  readonly resolve: (result: Read | Promise<Read>) => void
  readonly reject: (error: HawserError) => void
}

export class ItemReader implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: ItemReaderOptions
  readonly #items: unknown[] = []
  readonly #waiting: Waiting[] = []
  /** What the server may still send. */
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

  /** The server knows of the stream: nothing of it was ever read. */
  begin(): void {
    this.#credit = 0
    this.#grant(this.#options.window)
  }

  push(payload: unknown): void {
    if (this.#end !== undefined) return
    if (this.#credit === 0) {
      const message = `the server sent more items of "${this.#options.name}" than it was asked for`
      this.#options.giveUp(new HawserError("invalid_reply", { message }))
      return
    }
    this.#credit -= 1
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#items.push(payload)
    else waiting.resolve(this.#read(payload))
  }

  /** The stream ended after what was pushed. Only the first end counts. */
  finish(error: HawserError | undefined): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    for (const waiting of this.#waiting.splice(0)) this.#readEnd(waiting)
  }

  next(): Promise<Read> {
    this.#lookAtSignal()
    if (this.#items.length > 0) return this.#read(this.#items.shift())
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject }
      if (this.#end === undefined) this.#waiting.push(waiting)
      else this.#readEnd(waiting)
    })
  }

  /** Leaves the stream: what was not read is let go, and the server stops. */
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

  /** Whoever aborts wants no more items, also of a stream that has ended before they were read. */
  #lookAtSignal(): void {
    const { signal, name } = this.#options
    if (signal?.aborted !== true || this.#items.length === 0) return
    this.#items.length = 0
    const message = `"${name}" was aborted by its caller`
    this.#end = { error: this.#end?.error ?? new HawserError("cancelled", { message, cause: signal.reason }) }
  }
}
