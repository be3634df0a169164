// Creates the codecs of `hawser.1` of one server. Received messages must fit `limits.message`, sent messages
// `limits.clientMessage`.
import type { ServerLimits } from "@hawser/protocol"
import { TypeTable, createServerCodec } from "@hawser/protocol/core"

/** @param types names of calls and events, in the order of their numbers on the wire. */
export function createCodecs(
  types: readonly string[],
  { message, clientMessage }: Pick<ServerLimits, "message" | "clientMessage">,
) {
  return {
    /** Decodes messages of clients, encodes messages to clients. */
    codec: createServerCodec(new TypeTable(types), { reads: message, writes: clientMessage }),
    /** Decodes messages that this server has sent. */
    sentCodec: createServerCodec(new TypeTable(types), { reads: clientMessage, writes: clientMessage }),
  }
}
