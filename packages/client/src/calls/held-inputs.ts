// Encodes inputs of requests at the call, so a later change of an object has no effect. Checks them against the limits of the
// server's reader: those of the last WELCOME, before it `limits.serverMessage`. Must not know the queue.
import { createPayloadCodec, unsendable } from "@hawser/protocol/core"
import type { ClientLimits, Encoded, MessageLimits } from "@hawser/protocol"
import type { PayloadCodec } from "@hawser/protocol/core"

export interface HeldInputsOptions {
  readonly limits: ClientLimits
  readonly session: () => { readonly serverLimits: MessageLimits } | undefined
}

export class HeldInputs {
  readonly #options: HeldInputsOptions
  #serverLimits: MessageLimits
  #payloads: PayloadCodec

  constructor(options: HeldInputsOptions) {
    const { message, serverMessage } = options.limits
    this.#options = options
    this.#serverLimits = serverMessage
    this.#payloads = createPayloadCodec(message, serverMessage)
  }

  /**
   * Encodes a value. Returns undefined for undefined, which has no bytes.
   * @param around number of containers around the value in its message.
   * @param what name of the value in an error.
   * @throws UnsendableError
   */
  hold(value: unknown, around: number, what: string): Encoded<unknown> | undefined {
    if (value === undefined) return undefined
    try {
      return this.#codec().hold(value, around)
    } catch (error) {
      throw unsendable(what, error)
    }
  }

  /**
   * Returns the bytes of a waiting request's message, without its type and its deadline.
   * @throws UnsendableError for a message that the server would refuse.
   */
  messageBytes(input: Encoded<unknown> | undefined, key: string | undefined, what: string): number {
    try {
      return this.#codec().encodeFrame(0, key === undefined ? [0, input, 0] : [0, input, 0, key]).length
    } catch (error) {
      throw unsendable(what, error)
    }
  }

  /** Returns the codec with the limits of the last WELCOME. */
  #codec(): PayloadCodec {
    const { limits, session } = this.#options
    const serverLimits = session()?.serverLimits ?? this.#serverLimits
    if (serverLimits !== this.#serverLimits) {
      this.#serverLimits = serverLimits
      this.#payloads = createPayloadCodec(limits.message, serverLimits)
    }
    return this.#payloads
  }
}
