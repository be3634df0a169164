// The one interface behind which the two profiles stand.
import type { Profile } from "./version.ts"
import type { Encodable, Encoded } from "./encoded.ts"
import type { BadFrame, Frame } from "./frame.ts"

/**
 * Class of a message by its first byte, before it is decoded. `reliable` messages are counted. `control` frames are handled
 * at once, also while requests wait; `uncounted` messages wait in their order.
 */
export type FrameClass = "control" | "reliable" | "uncounted" | "volatile" | "invalid"

export interface Codec {
  readonly profile: Profile
  /** True when reliable messages are numbered by both ends. */
  readonly counts: boolean
  classify(bytes: Uint8Array): FrameClass
  /** Never throws. `count` is the message's number in its direction when it is reliable, else 0. */
  decode(bytes: Uint8Array, count: number): Frame | BadFrame
  /**
   * @throws UnsendableError for a payload that the other end would refuse or read as another value, RangeError for a type
   * that the session's table lacks.
   */
  encode(frame: Frame): Uint8Array
  /**
   * Encodes a payload at once, for a frame that is written later; changes of the payload have no effect on it.
   * @param around containers around it in that frame, which itself is one.
   * @throws UnsendableError
   */
  hold<T>(payload: Encodable<T>, around: number): Encoded<T>
}
