// The codecs of one server: what it reads is judged by its own limits, what it sends by those of its clients.
import { TypeTable, clientMessageLimits, createEnvelopeCodec, createFrameCodec } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { Codec, Profile } from "@hawser/protocol/core"

export interface Codecs {
  readonly codecs: Readonly<Record<Profile, Codec>>
  /** Reads what the server has sent itself. */
  readonly sentCodec: Codec
}

export function createCodecs(
  types: readonly string[],
  { message, clientMessage }: Pick<ServerLimits, "message" | "clientMessage">,
  wallClockMs: () => number,
): Codecs {
  // A client of `2.0` cannot say what it takes: never more than the known ones do.
  const maxBytes = Math.min(clientMessage.maxBytes, clientMessageLimits.maxBytes)
  const writes = { ...clientMessage, maxBytes }
  return {
    codecs: {
      "hawser.1": createFrameCodec(new TypeTable(types), message, clientMessage),
      "2.0": createEnvelopeCodec({ side: "server", limits: message, writes, wallClockMs }),
    },
    sentCodec: createFrameCodec(new TypeTable(types), clientMessage),
  }
}
