// Codec of a server, profile `hawser.1`: encodes the frames of servers. Decodes those of both ends: it names a frame that a client
// must not send, and reads frames that the server has sent.
import { createBodyCodec } from "./body-codec.ts"
import type { CodecLimits } from "./body-codec.ts"
import type { Codec } from "./codec.ts"
import { allDecoders } from "./frame-codec.ts"
import { serverBody } from "./server-encode.ts"
import type { TypeTable } from "./type-table.ts"

/** @param types type names of the server's sessions. */
export function createServerCodec(types: TypeTable, limits: CodecLimits): Codec {
  return createBodyCodec({ bodyOf: serverBody, decoders: allDecoders }, types, limits)
}
