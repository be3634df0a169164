// Runs the open streams of one session. Pulls one item at a time from a source, while the reader has credit and the send buffer is
// below its bound. Each stream ends with exactly one END, unless the session ends first.
// Must not know connections: items are reliable messages and survive them.
import { HawserError } from "@hawser/protocol"
import { outgoing, quoted, streamWindowMax } from "@hawser/protocol/core"
import type { ServerLimits, StreamSpec } from "@hawser/protocol"
import type { Codec, EndFrame, Reference, WireError } from "@hawser/protocol/core"
import type { SessionPage } from "../base/session-page.ts"
import type { LazyAbort } from "./lazy-abort.ts"
import { encodeError, isAnswer, resultError, wireError } from "./wire-error.ts"
import type { Job } from "./job.ts"
import type { ItemSource } from "./job.ts"

/** Part of a request that its stream keeps. */
export type StreamJob = Pick<Job, "frame" | "abort" | "credit">

/** Dependencies of all `ReplyStreams` of a server. */
export interface ReplyStreamsHost {
  readonly limits: Pick<ServerLimits, "streamsPerSession">
  /** Called with faults of the server. The client gets `sys_internal_error` without the cause. */
  readonly onError: (error: unknown) => void
}

/** Session of the streams. */
export interface ReplyStreamsOwner {
  /** Encodes items and ENDs. Throws for a payload that cannot be encoded. */
  readonly codec: Pick<Codec, "encode">
  /** True if the send buffer can take this many bytes; with 0, if it is below its bound. */
  hasRoom(bytes: number): boolean
  sendBytes(bytes: Uint8Array): void
  readonly page: SessionPage | undefined
}

interface Running {
  readonly reference: Reference
  readonly name: string
  readonly abort: LazyAbort
  readonly source: ItemSource
  readonly spec: StreamSpec
  /** Undefined before the first pull. */
  iterator: AsyncIterator<unknown> | undefined
  /** Remaining credit of the reader, in items. */
  credit: number
  /** True while a pull is running. */
  pulling: boolean
  /** Encoded item that did not fit into the send buffer. */
  held: Uint8Array | undefined
  /** True once END was sent or the session ended. The stream keeps its slot until its source has ended, too. */
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

  /** Number of streams whose sources have not ended. A source that ignores its signal keeps its slot. */
  get size(): number {
    return this.#streams.size
  }

  /** Error of a further stream if `streamsPerSession` is reached; otherwise undefined. */
  get refusal(): HawserError | undefined {
    const { streamsPerSession } = this.#host.limits
    if (this.#streams.size < streamsPerSession) return undefined
    return new HawserError("rate_limited", {
      message: `the session has ${streamsPerSession} open streams (limits.streamsPerSession); retry when one has ended`,
    })
  }

  /** Starts a stream. Its start settles the request; items and one END follow. */
  start({ frame, abort, credit }: StreamJob, source: ItemSource, spec: StreamSpec): void {
    const { refusal } = this
    const stream: Running = {
      reference: frame.reference,
      name: frame.type,
      abort,
      source,
      spec,
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
      this.#note(stream, true)
      this.#credit(stream, credit)
    }
  }

  /** Sends END for a stream that does not start. */
  refuse({ frame }: StreamJob, error: WireError): void {
    this.#sendEnd({ reference: frame.reference, name: frame.type }, error)
  }

  /** Adds credit of the reader. Returns false if the stream is not open. */
  credit(reference: Reference, items: number): boolean {
    const stream = this.#streams.get(reference)
    if (stream !== undefined) this.#credit(stream, items)
    return stream !== undefined
  }

  /** Ends a stream that its reader has cancelled. */
  cancel(reference: Reference): void {
    const stream = this.#streams.get(reference)
    if (stream !== undefined) this.#stop(stream, new HawserError("cancelled"))
  }

  /** Returns the references of streams without an END. */
  openReferences(): readonly number[] {
    return [...this.#streams.values()].flatMap(({ reference, ended }) =>
      ended || typeof reference !== "number" ? [] : [reference],
    )
  }

  /** Continues all streams after the send buffer has drained. */
  pump(): void {
    for (const stream of [...this.#streams.values()]) this.#advance(stream)
  }

  /** Aborts all streams at the session's end, and sends nothing. */
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

  /** Pulls items one at a time, until the credit is spent or the send buffer is full. */
  async #pull(stream: Running): Promise<void> {
    stream.pulling = true
    try {
      while (!stream.ended && stream.held === undefined && stream.credit > 0 && this.#owner.hasRoom(0)) {
        stream.iterator ??= iterate(stream.source)
        const next = await stream.iterator.next()
        if (next.done !== true) {
          const sent = this.#sendItem(stream, next.value)
          if (sent !== undefined) await sent
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

  /** Validates an item and sends it. Returns a promise only for an asynchronous schema. */
  #sendItem(stream: Running, item: unknown): void | Promise<void> {
    if (stream.ended) return undefined
    const { spec } = stream
    stream.credit -= 1
    try {
      const sent = outgoing(spec.item, item, spec.trustOutput)
      if (!(sent instanceof Promise)) return this.#sendPayload(stream, sent)
      return sent
        .then((late: unknown) => this.#sendPayload(stream, late))
        .catch((cause: unknown) => this.#unsendable(stream, cause))
    } catch (cause) {
      return this.#unsendable(stream, cause)
    }
  }

  #sendPayload(stream: Running, payload: unknown): void {
    if (stream.ended) return
    const owner = this.#owner
    const bytes = owner.codec.encode({ kind: "item", reference: stream.reference, payload })
    if (owner.hasRoom(bytes.length)) owner.sendBytes(bytes)
    else stream.held = bytes
  }

  /** Ends a stream whose item does not fit its schema or cannot be encoded. */
  #unsendable(stream: Running, cause: unknown): void {
    this.#host.onError(new Error(`an item of "${stream.name}" cannot be sent`, { cause }))
    this.#stop(stream, resultError(stream.name, cause))
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
    this.#note(stream, false)
    this.#sendEnd(stream, error)
  }

  #note({ reference }: Running, isOpen: boolean): void {
    if (typeof reference === "number") this.#owner.page?.stream(reference, isOpen)
  }

  #sendEnd({ reference, name }: Pick<Running, "reference" | "name">, error: WireError | undefined): void {
    const { codec } = this.#owner
    const frame = (sent: WireError | undefined): EndFrame => ({ kind: "end", reference, error: sent })
    const what = quoted(name)
    const bytes =
      error === undefined
        ? codec.encode(frame(undefined))
        : encodeError(codec, { error, frame, what }, this.#host.onError)
    this.#owner.sendBytes(bytes)
  }

  /** Aborts a stream and closes its source. The slot is free when the source has ended. */
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

  /** Returns the error for the client. Reports a fault of the server to `onError`. */
  #wireError({ name, ended }: Running, error: unknown): WireError {
    if (isAnswer(error)) return wireError(error)
    // A source that observes the signal of a cancelled stream ends with an AbortError. That is no fault.
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

/** True for an object that `for await` can iterate. False for text, which has characters and no items. */
export function isItemSource(value: unknown): value is ItemSource {
  return (
    typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  )
}
