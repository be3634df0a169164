// The client's streams: which reader gets which item. A stream is a request whose reply is its END, so order, waiting
// for a session, sending again what never left, and every way to end are those of requests.ts.
import { HawserError, streamWindowMax } from "@hawser/protocol"
import type { ClientLimits, ItemFrame, Reference, StreamSpec } from "@hawser/protocol"
import type { ClientSession } from "../session/client-session.ts"
import { ItemReader } from "./item-reader.ts"
import { endOfStream } from "./requests.ts"
import type { Requests, WhenOffline } from "./requests.ts"

export interface StreamOptions {
  /** Aborting throws `cancelled` at the reader and tells the server to stop; what was not read is let go. */
  readonly signal?: AbortSignal
  /** Items that the server may be ahead of the reader, 1 to 1,024. Default `limits.streamWindow`, 32. */
  readonly window?: number
  /** Default `queue`. */
  readonly whenOffline?: WhenOffline
}

export interface StreamRequest {
  readonly name: string
  readonly spec: StreamSpec
  readonly input: unknown
  readonly options: StreamOptions
}

export interface StreamsOptions {
  readonly limits: ClientLimits
  readonly requests: Requests
  readonly session: () => ClientSession | undefined
}

export class Streams {
  readonly #options: StreamsOptions
  /** Those that a session has taken and that have not ended. */
  readonly #readers = new Map<Reference, ItemReader>()
  #openCount = 0

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Streams that have not ended, waiting ones included. */
  get openCount(): number {
    return this.#openCount
  }

  /** @throws RangeError for a window that is no whole number from 1 to 1,024. */
  open({ name, spec, input, options }: StreamRequest): ItemReader {
    const { limits, requests, session } = this.#options
    const { window = limits.streamWindow, signal } = options
    if (!Number.isInteger(window) || window < 1 || window > streamWindowMax)
      throw new RangeError(`the window of a stream is 1 to ${streamWindowMax} items, not ${window}`)
    let reference: Reference | undefined
    let giveUp = (_reason: HawserError): void => {}
    const reader = new ItemReader({
      name,
      schema: spec.item,
      window,
      signal,
      grant: (items) => {
        if (reference !== undefined) session()?.credit(reference, items)
      },
      giveUp: (reason) => giveUp(reason),
    })
    const end = (error: HawserError | undefined): void => {
      this.#openCount -= 1
      if (reference !== undefined) this.#forget(reference, reader)
      reader.finish(error)
    }
    this.#openCount += 1
    giveUp = requests.open(
      { call: "stream", name, input, options },
      {
        onSent: (sent) => {
          if (reference !== undefined) this.#forget(reference, reader)
          reference = sent
          this.#readers.set(sent, reader)
          reader.begin()
        },
        resolve: (payload) => end(payload === endOfStream ? undefined : noStream(name)),
        reject: end,
      },
    )
    return reader
  }

  /** An item for a reader that has left is let go. */
  onItem({ reference, payload }: ItemFrame): void {
    this.#readers.get(reference)?.push(payload)
  }

  /** Numbers begin again in a new session: the same reference may be another stream's by now. */
  #forget(reference: Reference, reader: ItemReader): void {
    if (this.#readers.get(reference) === reader) this.#readers.delete(reference)
  }
}

function noStream(name: string): HawserError {
  return new HawserError("invalid_reply", { message: `the server answered "${name}" with one reply` })
}
