// Samples of values in payloads, and of messages that a reader takes though no sender writes them, ignores or refuses.
import { createPayloadCodec, serverMessageLimits } from "@hawser/protocol/core"
import { jsonOf } from "./described.ts"
import type { Json } from "./described.ts"

const codec = createPayloadCodec(serverMessageLimits)

/** Values as they are sent. */
const values: readonly (readonly [what: string, value: unknown])[] = [
  ["Nil.", null],
  ["False.", false],
  ["True.", true],
  ["A whole number.", 3],
  ["A whole float is sent as an integer: this is the float 3.0.", 3.0],
  ["The float −0 is sent as the integer 0.", -0],
  ["A float that is not whole is sent with 64 bits.", 0.1],
  ["The largest integer of 16 bits.", 65_535],
  ["An integer above 32 bits.", 2 ** 40],
  ["A negative integer.", -129],
  ["A whole number beyond 2⁵³−1 is sent as a float.", 2 ** 53],
  ["A float that is no number.", Number.NaN],
  ["A float that is not finite.", Number.NEGATIVE_INFINITY],
  ["A text: its length counts bytes of UTF-8.", "é"],
  ["An array.", [1, [], {}]],
  ["A map. The order of its keys is kept.", { b: 1, a: null }],
  ["Bytes.", Uint8Array.of(1, 255)],
  ["A time of whole seconds: the extension −1 with 4 bytes.", new Date(1_000)],
  ["A time with milliseconds: 8 bytes.", new Date(1_700_000_000_123)],
  ["A time before 1970: 12 bytes.", new Date(-1)],
]

/** Values with their bytes. */
export const valueSamples: readonly Json[] = values.map(([what, value]) => ({
  what,
  hex: Buffer.from(codec.encode(value)).toString("hex"),
  // JSON has no −0.
  json: jsonOf(Object.is(value, -0) ? 0 : value),
}))

/** Returns a map of `2.0` as JSON. */
export function envelopeJson(bytes: Uint8Array): Json {
  const decoded = codec.decode(bytes, 0)
  return decoded.ok ? jsonOf(decoded.value) : "bad"
}

/** Messages by their bytes. The codec's result is a frame, `ignored` or `bad`. */
export const readingSamples: readonly (readonly [what: string, hex: string])[] = [
  [
    "An absent value in another place than that of the payload is bad: as the type of an event.",
    "4092d4000001",
  ],
  ["An absent value inside a payload is bad.", "40920591d40000"],
  ["An absent value behind the elements of a frame is bad.", "40930501d40000"],
  ["A control byte that is reserved for later versions is ignored if its body is an array.", "1092a16101"],
  ["The highest of these bytes.", "3f90"],
  ["A reserved control byte whose body is no array is bad.", "10c0"],
  ["The byte 00 is no frame.", "0090"],
  ["An unknown reliable frame is bad.", "4890"],
  ["An unknown volatile frame is bad.", "8490"],
  ["The class 11 is never used.", "c090"],
  ["Elements of a later version at the end are ignored.", "0693cd012c11a378797a"],
  [
    "An optional element of the wrong shape is ignored: a count of state frames that is a text.",
    "0692cd012ca178",
  ],
  ["A required element of the wrong shape is bad: a count that is a text.", "0691a178"],
  ["A required element is absent.", "0790"],
  ["A negative count is bad.", "0691ff"],
  ["A count may be a float, if it is whole.", "0691cb4072c00000000000"],
  ["A count may be wider than necessary.", "0691cf000000000000012c"],
  ["A count that is not whole is bad.", "0691cb3fe0000000000000"],
  ["BYE without its message, which is optional.", "0d91a87265706c61636564"],
  ["A REQ whose key is nil is bad.", "41940490cd2710c0"],
  ["A number that the table of types lacks becomes a name that no contract holds.", "409263c0"],
  [
    "A status of a later version is read as `sys_internal_error`, with its message.",
    "429307cd03e795c0a178020902",
  ],
  ["An unknown category is read as `system`.", "4293070893c0a16d63"],
  ["Bytes after the array are bad.", "069101c0"],
  ["A map instead of the array is bad.", "0680"],
  ["An empty message is bad.", ""],
  ["A map key that is no text is bad.", "409205810101"],
  ["The map key `__proto__` is bad.", "40920581a95f5f70726f746f5f5f01"],
  ["An array that announces more elements than bytes follow is bad.", "4092059f"],
  ["An integer beyond 2⁵³−1 is bad.", "409205cf0020000000000000"],
  ["Text that is no UTF-8 is bad.", "409205a1ff"],
  ["An extension other than −1 is bad.", "409205d40100"],
]
