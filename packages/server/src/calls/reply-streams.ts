// The streams of one session that run. Items are asked for one at a time, only while their reader wants them and the
// session has room for them, and each stream ends with exactly one END unless the session ends first.
// Knows no connections: items outlive them like everything reliable.
import { HawserError } from "@hawser/protocol"
import { quoted, streamWindowMax } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { Codec, EndFrame, Reference, WireError } from "@hawser/protocol/core"
import type { LazyAbort } from "./lazy-abort.ts"
import { encodeError, isAnswer, resultError, wireError } from "./told-error.ts"
import type { Job } from "./job.ts"
import type { ItemSource } from "./job.ts"

/** What a stream has of the request that opened it. */
export type StreamJob = Pick<Job, "frame" | "abort" | "credit">

export interface ReplyStreamsHost {
  readonly limits: Pick<ServerLimits, "streamsPerSession">
  /** What is the server's own fault; the client is told only that it is. */
  readonly onError: (error: unknown) => void
}

export interface ReplyStreamsOwner {
  /** Throws for a payload that cannot be encoded. */
  readonly codec: Pick<Codec, "encode">
  /** True while the session may keep this many bytes more for streams; 0 asks for the next item. */
  hasRoom(bytes: number): boolean
  sendBytes(bytes: Uint8Array): void
}

interface Running {
  readonly reference: Reference
  readonly name: string
  readonly abort: LazyAbort
  readonly source: ItemSource
  /** Undefined until its reader wants an item. */
  iterator: AsyncIterator<unknown> | undefined
  /** Items that its reader still takes. */
  credit: number
  /** True while an item is being made. */
  pulling: boolean
  /** An item for which there was no room. */
  held: Uint8Array | undefined
  /** True once END was sent or the session ended; it is forgotten when its source has ended too. */
  ended: boolean
}

export class ReplyStreams {
  readonly #host: ReplyStreamsHost
  readonly #owner: ReplyStreamsOwner
  readonly #streams = new Map<Reference, Running>()

  constructor(host: ReplyStreamsHost, owner: ReplyStreamsOwner) {
    this.#host = host
    this.#owner = owner
  }

  /** Streams whose sources have not ended: a source that ignores its signal keeps its place. */
  get size(): number {
    return this.#streams.size
  }

  /** Why no further stream can start, if none can. */
  get refusal(): HawserError | undefined {
    const { streamsPerSession } = this.#host.limits
    if (this.#streams.size < streamsPerSession) return undefined
    return new HawserError("rate_limited", {
      message: `${streamsPerSession} streams of this session run already, which is the most allowed`,
    })
  }

  /** The request of a stream is settled by its start; what follows are items and one END. */
  start({ frame, abort, credit }: StreamJob, source: ItemSource): void {
    const { refusal } = this
    const stream: Running = {
      reference: frame.reference,
      name: frame.type,
      abort,
      source,
      iterator: undefined,
      credit: 0,
      pulling: false,
      held: undefined,
      ended: false,
    }
    if (abort.aborted) this.#stop(stream, abort.reason)
    else if (refusal !== undefined) this.#stop(stream, refusal)
    else {
      this.#streams.set(stream.reference, stream)
      this.#credit(stream, credit)
    }
  }

  /** The request of a stream that does not start is answered by its END alone. */
  refuse({ frame }: StreamJob, error: WireError): void {
    this.#sendEnd({ reference: frame.reference, name: frame.type }, error)
  }

  /** The reader takes more items. False when no such stream runs. */
  credit(reference: Reference, items: number): boolean {
    const stream = this.#streams.get(reference)
    if (stream !== undefined) this.#credit(stream, items)
    return stream !== undefined
  }

  /** The reader wants no more. */
  cancel(reference: Reference): void {
    const stream = this.#streams.get(reference)
    if (stream !== undefined) this.#stop(stream, new HawserError("cancelled"))
  }

  /** References of streams without an END. */
  openReferences(): readonly number[] {
    return [...this.#streams.values()].flatMap(({ reference, ended }) =>
      ended || typeof reference !== "number" ? [] : [reference],
    )
  }

  /** The session has room again. */
  pump(): void {
    for (const stream of [...this.#streams.values()]) this.#advance(stream)
  }

  /** The session has ended: nothing is sent any more. */
  end(reason: HawserError): void {
    for (const stream of [...this.#streams.values()]) {
      stream.ended = true
      stream.held = undefined
      this.#abandon(stream, reason)
    }
  }

  #credit(stream: Running, items: number): void {
    stream.credit = Math.min(stream.credit + items, streamWindowMax)
    this.#advance(stream)
  }

  #advance(stream: Running): void {
    const owner = this.#owner
    if (stream.ended) return
    if (stream.held !== undefined) {
      if (!owner.hasRoom(stream.held.length)) return
      const { held } = stream
      stream.held = undefined
      owner.sendBytes(held)
    }
    if (!stream.pulling && stream.credit > 0 && owner.hasRoom(0)) this.#pull(stream).catch(this.#host.onError)
  }

  /** One item at a time, until the credit or the room is used up. */
  async #pull(stream: Running): Promise<void> {
    stream.pulling = true
    try {
      while (!stream.ended && stream.held === undefined && stream.credit > 0 && this.#owner.hasRoom(0)) {
        stream.iterator ??= iterate(stream.source)
        const next = await stream.iterator.next()
        if (next.done !== true) {
          this.#sendItem(stream, next.value)
          continue
        }
        this.#streams.delete(stream.reference)
        this.#end(stream, undefined)
      }
    } catch (error) {
      this.#streams.delete(stream.reference)
      this.#end(stream, this.#wireError(stream, error))
    } finally {
      stream.pulling = false
    }
  }

  #sendItem(stream: Running, payload: unknown): void {
    if (stream.ended) return
    const owner = this.#owner
    const { reference, name } = stream
    stream.credit -= 1
    let bytes: Uint8Array
    try {
      bytes = owner.codec.encode({ kind: "item", reference, payload })
    } catch (cause) {
      this.#host.onError(new Error(`an item of "${name}" cannot be sent`, { cause }))
      this.#stop(stream, resultError(name, cause))
      return
    }
    if (owner.hasRoom(bytes.length)) owner.sendBytes(bytes)
    else stream.held = bytes
  }

  #stop(stream: Running, reason: unknown): void {
    if (stream.ended) return
    this.#end(stream, this.#wireError(stream, reason))
    this.#abandon(stream, HawserError.is(reason) ? reason : new HawserError("sys_internal_error"))
  }

  #end(stream: Running, error: WireError | undefined): void {
    if (stream.ended) return
    stream.ended = true
    stream.held = undefined
    this.#sendEnd(stream, error)
  }

  #sendEnd({ reference, name }: Pick<Running, "reference" | "name">, error: WireError | undefined): void {
    const { codec } = this.#owner
    const frame = (told: WireError | undefined): EndFrame => ({ kind: "end", reference, error: told })
    const what = quoted(name)
    const bytes =
      error === undefined
        ? codec.encode(frame(undefined))
        : encodeError(codec, { error, frame, what }, this.#host.onError)
    this.#owner.sendBytes(bytes)
  }

  /** Its place is free when its source has ended. */
  #abandon(stream: Running, reason: HawserError): void {
    const { reference, abort, iterator } = stream
    abort.abort(reason)
    if (iterator === undefined) this.#streams.delete(reference)
    else this.#return(stream, iterator).catch(this.#host.onError)
  }

  async #return(stream: Running, iterator: AsyncIterator<unknown>): Promise<void> {
    try {
      await iterator.return?.()
    } catch (error) {
      this.#wireError(stream, error)
    } finally {
      this.#streams.delete(stream.reference)
    }
  }

  /** What the client is told of an error; what it is not told of is reported here. */
  #wireError({ name, ended }: Running, error: unknown): WireError {
    if (isAnswer(error)) return wireError(error)
    // What reads the signal of a stream that was left ends like this, and nothing is wrong.
    const isAbort = ended && error instanceof Error && error.name === "AbortError"
    if (!isAbort) this.#host.onError(new Error(`the stream "${name}" failed`, { cause: error }))
    return wireError(new HawserError("sys_internal_error"))
  }
}

function iterate(source: ItemSource): AsyncIterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : fromIterable(source)
}

async function* fromIterable(source: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* source
}

/** True for what `for await` can go through; text, which it could, is no stream of items. */
export function isItemSource(value: unknown): value is ItemSource {
  return (
    typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  )
}
