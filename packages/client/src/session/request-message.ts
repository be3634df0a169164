// Encodes the requests of a session, of each profile. Must not know connections.
import { outbound, unsendable } from "@hawser/protocol/core"
import type { ClientCodec, OutboundMessage, Reference } from "@hawser/protocol/core"
import type { OutgoingRequest } from "../calls/carrier.ts"

/** @throws HawserError `invalid_input` or `message_too_large`. */
export function requestMessage(
  codec: ClientCodec,
  { call, name, input, budgetMs, key }: OutgoingRequest,
  reference: Reference,
): OutboundMessage {
  try {
    return outbound(
      codec.encode({
        kind: "request",
        call: call === "stream" ? undefined : call,
        type: name,
        payload: input,
        budgetMs,
        reference,
        ...(key === undefined ? {} : { key }),
      }),
    )
  } catch (error) {
    throw unsendable(`the input of "${name}"`, error)
  }
}
