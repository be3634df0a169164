// The codecs of `hawser.1` of one server: incoming messages are judged by the server's limits, outgoing ones by those of its
// clients.
import type { ServerLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec } from "@hawser/protocol/core"
import type { Codec } from "@hawser/protocol/core"

export interface Codecs {
  readonly codec: Codec
  /** Reads messages that the server itself has sent. */
  readonly sentCodec: Codec
}

export function createCodecs(
  types: readonly string[],
  { message, clientMessage }: Pick<ServerLimits, "message" | "clientMessage">,
): Codecs {
  return {
    codec: createFrameCodec(new TypeTable(types), message, clientMessage),
    sentCodec: createFrameCodec(new TypeTable(types), clientMessage),
  }
}
