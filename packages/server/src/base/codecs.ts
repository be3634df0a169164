// Creates the codecs of `hawser.1` of one server. Received messages must fit `limits.message`, sent messages
// `limits.clientMessage`.
import type { ServerLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec } from "@hawser/protocol/core"

/** @param types names of calls and events, in the order of their numbers on the wire. */
export function createCodecs(
  types: readonly string[],
  { message, clientMessage }: Pick<ServerLimits, "message" | "clientMessage">,
) {
  return {
    /** Decodes messages of clients, encodes messages to clients. */
    codec: createFrameCodec(new TypeTable(types), message, clientMessage),
    /** Decodes messages that this server has sent. */
    sentCodec: createFrameCodec(new TypeTable(types), clientMessage),
  }
}
