// The one interface behind which the two profiles stand.
import type { Profile } from "../version.ts"
import type { BadFrame, Frame } from "./frame.ts"

/** Which messages count is decided by the first byte, before anything is decoded. */
export type FrameClass = "control" | "reliable" | "volatile" | "invalid"

export interface Codec {
  readonly profile: Profile
  /** True when reliable messages are numbered by both ends. */
  readonly counts: boolean
  classify(bytes: Uint8Array): FrameClass
  /** Never throws. `count` is the message's number in its direction when it is reliable, else 0. */
  decode(bytes: Uint8Array, count: number): Frame | BadFrame
  /** Throws for what is a programmer's mistake: an unknown type, a payload that MessagePack cannot hold. */
  encode(frame: Frame): Uint8Array
}
