// Declares the interface that both profiles implement.
import type { Profile } from "./version.ts"
import type { Encodable, Encoded } from "./encoded.ts"
import type { BadFrame, Frame } from "./frame.ts"

/**
 * Class of a message, determined by its first byte before decoding. `reliable` messages are numbered. `control` frames are
 * handled at once, also while requests wait. `uncounted` messages are handled in order.
 */
export type FrameClass = "control" | "reliable" | "uncounted" | "volatile" | "invalid"

/** Codec of one profile. `Sent`: the frames that it encodes. */
export interface Codec<Sent extends Frame = Frame> {
  /** The profile that it encodes. */
  readonly profile: Profile
  /** True if both ends number reliable messages. */
  readonly counts: boolean
  /** Returns the class of a message. */
  classify(bytes: Uint8Array): FrameClass
  /** Decodes a message. Never throws. `count`: message number of a reliable message, otherwise 0. */
  decode(bytes: Uint8Array, count: number): Frame | BadFrame
  /**
   * Encodes a frame.
   * @throws UnsendableError for a payload that the peer would refuse or misread, RangeError for a type that is not in the
   * session's table.
   */
  encode(frame: Sent): Uint8Array
  /**
   * Encodes a payload now for a frame that is written later. Later changes of the payload have no effect.
   * @param around number of containers around it in that frame, the frame included.
   * @throws UnsendableError
   */
  hold<T>(payload: Encodable<T>, around: number): Encoded<T>
}
