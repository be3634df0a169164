// The type of the samples of frames. A new frame byte does not compile until it has a sample.
import { reservedTypes } from "@hawser/protocol/core"
import type { Frame, frameByte } from "@hawser/protocol/core"

/** The type table of all samples. */
export const sampleTypes = [...reservedTypes, "move", "chat"] as const

/** Message number of a sampled REQ: the reference of its reply. */
export const sampleCount = 7

/** Name of a first byte whose body is a MessagePack array: all but CELLS. */
type ByteName = Exclude<keyof typeof frameByte, "replicaParts">

type FrameOf<N extends ByteName> = Extract<
  Frame,
  { readonly kind: N extends "volatileKeyed" ? "volatile" : N }
>

/** A frame, its name in docs/vectors.json, and a sentence about it. */
interface Sample<F extends Frame> {
  readonly name: string
  readonly what: string
  readonly frame: F
}

type SamplesOf<N extends ByteName> = readonly [Sample<FrameOf<N>>, ...Sample<FrameOf<N>>[]]

/** Samples by the name of their first byte. */
export type Samples = { readonly [N in ByteName]: SamplesOf<N> }
