// Declares the first bytes of frames, and classifies a frame by its first byte before decoding. The specification is
// docs/protocol.md.
import type { FrameClass } from "./codec.ts"
import type { Frame } from "./frame.ts"

/** Names of frame bytes. `unknownControl` has none: it represents control frames of later versions. */
type FrameName = Exclude<Frame["kind"], "unknownControl"> | "volatileKeyed"

/** First byte of each frame. 0x00–0x3f: control, 0x40–0x7f: reliable (numbered), 0x80–0xbf: volatile, 0xc0–0xff: invalid. */
export const frameByte = {
  hello: 0x01,
  welcome: 0x02,
  auth: 0x03,
  authRequest: 0x04,
  authOk: 0x05,
  ack: 0x06,
  ping: 0x07,
  pong: 0x08,
  goaway: 0x09,
  reset: 0x0a,
  sync: 0x0b,
  busy: 0x0c,
  bye: 0x0d,
  have: 0x0e,
  void: 0x0f,
  throttled: 0x10,
  event: 0x40,
  request: 0x41,
  reply: 0x42,
  item: 0x43,
  end: 0x44,
  cancel: 0x45,
  topicEvent: 0x46,
  credit: 0x47,
  volatile: 0x80,
  volatileKeyed: 0x81,
  replicaParts: 0x82,
  replica: 0x83,
} as const satisfies Readonly<Record<FrameName, number>>

/** Index of the application's payload in the fields of a frame, by its first byte. Only this field may be absent (W24). */
export const payloadAt: Readonly<Record<number, number | undefined>> = {
  [frameByte.event]: 1,
  [frameByte.request]: 1,
  [frameByte.reply]: 2,
  [frameByte.item]: 1,
  [frameByte.topicEvent]: 3,
  [frameByte.volatile]: 1,
  [frameByte.volatileKeyed]: 2,
}

/** Returns the class of a frame; `invalid` without a byte. */
export function classifyFirstByte(byte: number | undefined): FrameClass {
  if (byte === undefined) return "invalid"
  const bits = byte & 0xc0
  return bits === 0x00 ? "control" : bits === 0x40 ? "reliable" : bits === 0x80 ? "volatile" : "invalid"
}

/** Returns true for a control frame of a later version. A peer that does not know it ignores it. */
export function isReservedControl(byte: number): boolean {
  return byte >= 0x11 && byte <= 0x3f
}
