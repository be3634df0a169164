// The client's streams: routes items to their readers. A stream is a request whose reply is its END, so `requests.ts` decides
// about order, waiting, retransmission and the end. Drops items without a reader. Must not know sockets.
import { HawserError } from "@hawser/protocol"
import { assertOptionNames, quoted, streamWindowMax } from "@hawser/protocol/core"
import type { ClientLimits, Schema } from "@hawser/protocol"
import type { ItemFrame, OptionTable, Reference } from "@hawser/protocol/core"
import type { Carrier } from "./carrier.ts"
import { assertCallOptions } from "./check-call-options.ts"
import { ItemReader } from "./item-reader.ts"
import { endOfStream } from "./requests.ts"
import type { Requests, WhenOffline } from "./requests.ts"

/** Options of `client.stream()`. */
export interface StreamOptions {
  /** Aborts the stream: the reader gets `cancelled`, unread items are dropped, and the server stops. Default: none. */
  readonly signal?: AbortSignal
  /** Most items that the server sends ahead of the reader, 1 to 1,024. Default `limits.streamWindow`, 32. */
  readonly window?: number
  /** Behaviour without a connection. Default `queue`. */
  readonly whenOffline?: WhenOffline
}

const streamOptions: OptionTable<StreamOptions> = { signal: "any", window: "any", whenOffline: "any" }

export interface StreamRequest {
  readonly name: string
  /** Schema of an item; undefined: the reader gets items as they came. */
  readonly item: Schema | undefined
  readonly input: unknown
  readonly options: StreamOptions
}

export interface StreamsOptions {
  readonly limits: ClientLimits
  readonly requests: () => Requests
  readonly session: () => Carrier | undefined
}

export class Streams {
  readonly #options: StreamsOptions
  /** Readers of streams that wait for a session. */
  readonly #waiting = new Set<ItemReader>()
  /** Readers of streams that a session has taken. */
  readonly #readers = new Map<Reference, ItemReader>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Number of streams that have not ended, waiting ones included. */
  get openCount(): number {
    return this.#waiting.size + this.#readers.size
  }

  /** Opens a stream. @throws RangeError for an invalid window; like `assertCallOptions` for other options. */
  open({ name, item, input, options }: StreamRequest): ItemReader {
    const { limits, requests, session } = this.#options
    assertOptionNames(`"${name}"`, options, streamOptions)
    assertCallOptions(options)
    const { window = limits.streamWindow, signal } = options
    if (!Number.isInteger(window) || window < 1 || window > streamWindowMax)
      throw new RangeError(`the window of a stream is 1 to ${streamWindowMax} items, not ${quoted(window)}`)
    let reference: Reference | undefined
    let giveUp = (_reason: HawserError): void => {}
    const reader = new ItemReader({
      name,
      schema: item,
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
      reader.end(error)
    }
    this.#waiting.add(reader)
    giveUp = requests().open(
      { call: "stream", name, input, options },
      {
        onSent: (sent) => {
          leave()
          reference = sent
          this.#readers.set(sent, reader)
          reader.begin()
        },
        // References of the next session begin again, so this one may belong to another stream there.
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

  /** Delivers an item. Drops it if its reader has left. */
  onItem({ reference, payload }: ItemFrame): void {
    this.#readers.get(reference)?.push(payload)
  }
}

function noStream(name: string): HawserError {
  return new HawserError("invalid_reply", {
    message: `the server answered the stream "${name}" with a single reply`,
  })
}
