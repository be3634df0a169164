// Encodes inputs of requests when they are called, so that a later change of an object has no effect on what is sent.
// Judges them by the limits of the server's reader, as far as they are known. Knows no queue and no session's state.
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
   * Encodes a value. Undefined stays undefined: it has no bytes of its own.
   * @param around containers around it in its message.
   * @param what names the value in the error.
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
   * Bytes of the message of a request that waits, apart from its type and its time.
   * @throws UnsendableError for one that the server would refuse.
   */
  messageBytes(input: Encoded<unknown> | undefined, key: string | undefined, what: string): number {
    try {
      return this.#codec().encodeFrame(0, key === undefined ? [0, input, 0] : [0, input, 0, key]).length
    } catch (error) {
      throw unsendable(what, error)
    }
  }

  /** The limits of the last WELCOME hold until the next one. */
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
