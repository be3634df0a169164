// Codec of a client, profile `hawser.1`: encodes the frames of clients, decodes those of servers.
import { createBodyCodec } from "./body-codec.ts"
import type { CodecLimits } from "./body-codec.ts"
import { clientBody } from "./client-encode.ts"
import type { Codec } from "./codec.ts"
import { commonDecoders } from "./common-decode.ts"
import type { ClientFrame, CommonFrame } from "./frame.ts"
import { serverDecoders } from "./server-decode.ts"
import type { TypeTable } from "./type-table.ts"

/** Codec of a client, of either profile. */
export type ClientCodec = Codec<ClientFrame | CommonFrame>

/** @param types type names of the session; the client fills the table at WELCOME. */
export function createClientCodec(types: TypeTable, limits: CodecLimits): ClientCodec {
  const decoders = { ...commonDecoders, ...serverDecoders }
  return createBodyCodec({ bodyOf: clientBody, decoders }, types, limits)
}
