// The client's streams: which reader gets which item. A stream is a request whose reply is its END, so order, waiting
// for a session, sending again what never left, and every way to end are those of requests.ts.
import { HawserError } from "@hawser/protocol"
import { quoted, streamWindowMax } from "@hawser/protocol/core"
import type { ClientLimits, StreamSpec } from "@hawser/protocol"
import type { ItemFrame, Reference } from "@hawser/protocol/core"
import type { Carrier } from "./carrier.ts"
import { assertCallOptions } from "./check-call-options.ts"
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
  readonly session: () => Carrier | undefined
}

export class Streams {
  readonly #options: StreamsOptions
  /** Those that have not ended: the ones that wait for a session, and the ones that it has taken. */
  readonly #waiting = new Set<ItemReader>()
  readonly #readers = new Map<Reference, ItemReader>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Streams that have not ended, waiting ones included. */
  get openCount(): number {
    return this.#waiting.size + this.#readers.size
  }

  /** @throws RangeError for a window that is no whole number from 1 to 1,024; as `assertCallOptions` for other options. */
  open({ name, spec, input, options }: StreamRequest): ItemReader {
    const { limits, requests, session } = this.#options
    const { window = limits.streamWindow, signal } = options
    if (!Number.isInteger(window) || window < 1 || window > streamWindowMax)
      throw new RangeError(`the window of a stream is 1 to ${streamWindowMax} items, not ${quoted(window)}`)
    assertCallOptions(options)
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
    const leave = (): void => {
      this.#waiting.delete(reader)
      if (reference !== undefined) this.#readers.delete(reference)
      reference = undefined
    }
    const end = (error: HawserError | undefined): void => {
      leave()
      reader.finish(error)
    }
    this.#waiting.add(reader)
    giveUp = requests.open(
      { call: "stream", name, input, options },
      {
        onSent: (sent) => {
          leave()
          reference = sent
          this.#readers.set(sent, reader)
          reader.begin()
        },
        // Numbers begin again in a new session: this one may be another stream's there.
        onUnsent: () => {
          leave()
          this.#waiting.add(reader)
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
}

function noStream(name: string): HawserError {
  return new HawserError("invalid_reply", { message: `the server answered "${name}" with one reply` })
}
