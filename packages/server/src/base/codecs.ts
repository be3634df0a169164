// Creates the codecs of `hawser.1` of one server. Received messages must fit `limits.message`, sent messages
// `limits.clientMessage`.
import type { ServerLimits } from "@hawser/protocol"
import { createServerCodec } from "@hawser/protocol/core"
import type { TypeTable } from "@hawser/protocol/core"

/** @param types names of calls and events, with their numbers on the wire. */
export function createCodecs(
  types: TypeTable,
  { message, clientMessage }: Pick<ServerLimits, "message" | "clientMessage">,
) {
  return {
    /** Decodes messages of clients, encodes messages to clients. */
    codec: createServerCodec(types, { reads: message, writes: clientMessage }),
    /** Decodes messages that this server has sent. */
    sentCodec: createServerCodec(types, { reads: clientMessage, writes: clientMessage }),
  }
}
