// Codec of all frames of profile `hawser.1`, for tests and tools that play either end.
import { createBodyCodec } from "./body-codec.ts"
import { clientDecoders } from "./client-decode.ts"
import { clientBody } from "./client-encode.ts"
import type { Codec } from "./codec.ts"
import { commonDecoders } from "./common-decode.ts"
import type { FrameBody } from "./common-encode.ts"
import type { Frame } from "./frame.ts"
import type { MessageLimits } from "./message-limits.ts"
import { serverDecoders } from "./server-decode.ts"
import { serverBody } from "./server-encode.ts"
import type { TypeTable } from "./type-table.ts"

/** Decoders of all frames. */
export const allDecoders = { ...commonDecoders, ...clientDecoders, ...serverDecoders }

/**
 * @param types type names of the session.
 * @param reads limits of this end's reader.
 * @param writes limits of the peer's reader.
 */
export function createFrameCodec(types: TypeTable, reads: MessageLimits, writes = reads): Codec {
  return createBodyCodec({ bodyOf, decoders: allDecoders }, types, { reads, writes })
}

function bodyOf(frame: Frame, types: TypeTable): FrameBody {
  const { kind } = frame
  const isOfClient =
    kind === "hello" ||
    kind === "auth" ||
    kind === "void" ||
    kind === "have" ||
    kind === "request" ||
    kind === "cancel" ||
    kind === "credit"
  return isOfClient ? clientBody(frame, types) : serverBody(frame, types)
}
