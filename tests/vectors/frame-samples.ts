// All samples of frames, with their bytes. docs/vectors.json contains them. `cells-parts-sample.ts` and `cells-fields-sample.ts` contain those of CELLS.
import { TypeTable, clientMessageLimits, createFrameCodec } from "@hawser/protocol/core"
import type { Frame } from "@hawser/protocol/core"
import { controlSamples } from "./control-samples.ts"
import { sampleTypes } from "./frame-sample.ts"
import type { Samples } from "./frame-sample.ts"
import { handshakeSamples } from "./handshake-samples.ts"
import { messageSamples } from "./message-samples.ts"

const samples: Samples = { ...handshakeSamples, ...controlSamples, ...messageSamples }

/** Samples of every first byte but CELLS. */
export const frameSamples: readonly {
  readonly name: string
  readonly what: string
  readonly frame: Frame
}[] = Object.values(samples).flat()

/** Codec with the type table of the samples. */
export const sampleCodec = createFrameCodec(new TypeTable(sampleTypes), clientMessageLimits)
