// Reads one MessagePack header: its family, its extent, and for scalars its value. Must not know the envelope.

type Family =
  | "map"
  | "array"
  | "str"
  | "bin"
  | "ext"
  | "int"
  | "float32"
  | "float64"
  | "nil"
  | "bool"
  | "never-used"

export interface Header {
  readonly family: Family
  readonly lead: number
  readonly start: number
  /** Offset of the next header: after a scalar's content, but before the first item of a map or array. */
  readonly end: number
  /** Items of an array, pairs of a map; 0 for all others. */
  readonly count: number
  /** Value of an int or float. */
  readonly value?: number
  /** The text of a str; absent when its bytes are not UTF-8. */
  readonly text?: string
  /** False for an int that fits a shorter form. */
  readonly isSmallest: boolean
}

type Scalar = Pick<Header, "family" | "value">

const utf8 = new TextDecoder("utf-8", { fatal: true })

function textOf(bytes: Uint8Array): { readonly text?: string } {
  try {
    return { text: utf8.decode(bytes) }
  } catch {
    return {}
  }
}

/** Length of an integer's shortest form in bytes, lead byte included. */
function smallestIntBytes(value: number): number {
  if (value >= 0)
    return value < 128 ? 1 : value < 256 ? 2 : value < 65_536 ? 3 : value < 4_294_967_296 ? 5 : 9
  return value >= -32 ? 1 : value >= -128 ? 2 : value >= -32_768 ? 3 : value >= -2_147_483_648 ? 5 : 9
}

function scalarAt(view: DataView, lead: number, at: number): readonly [Scalar, number] | undefined {
  if (lead < 0x80) return [{ family: "int", value: lead }, 0]
  if (lead >= 0xe0) return [{ family: "int", value: lead - 256 }, 0]
  const int = (value: number | bigint, size: number) =>
    [{ family: "int", value: Number(value) }, size] as const
  switch (lead) {
    case 0xc0:
      return [{ family: "nil" }, 0]
    case 0xc1:
      return [{ family: "never-used" }, 0]
    case 0xc2:
    case 0xc3:
      return [{ family: "bool" }, 0]
    case 0xca:
      return [{ family: "float32", value: view.getFloat32(at) }, 4]
    case 0xcb:
      return [{ family: "float64", value: view.getFloat64(at) }, 8]
    case 0xcc:
      return int(view.getUint8(at), 1)
    case 0xcd:
      return int(view.getUint16(at), 2)
    case 0xce:
      return int(view.getUint32(at), 4)
    case 0xcf:
      return int(view.getBigUint64(at), 8)
    case 0xd0:
      return int(view.getInt8(at), 1)
    case 0xd1:
      return int(view.getInt16(at), 2)
    case 0xd2:
      return int(view.getInt32(at), 4)
    case 0xd3:
      return int(view.getBigInt64(at), 8)
    default:
      return undefined
  }
}

/** The size field of `width` bytes. */
function sizeAt(view: DataView, at: number, width: number): number {
  return width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at)
}

/** Families whose header carries a size: [family, bytes of the size field, size when it sits in the lead byte, extra bytes]. */
function sizedAt(lead: number): readonly [Family, number, number, number] {
  if (lead < 0x90) return ["map", 0, lead & 0x0f, 0]
  if (lead < 0xa0) return ["array", 0, lead & 0x0f, 0]
  if (lead < 0xc0) return ["str", 0, lead & 0x1f, 0]
  if (lead >= 0xc4 && lead <= 0xc6) return ["bin", 1 << (lead - 0xc4), 0, 0]
  if (lead >= 0xc7 && lead <= 0xc9) return ["ext", 1 << (lead - 0xc7), 0, 1]
  if (lead >= 0xd4 && lead <= 0xd8) return ["ext", 0, 1 << (lead - 0xd4), 1]
  if (lead >= 0xd9 && lead <= 0xdb) return ["str", 1 << (lead - 0xd9), 0, 0]
  return lead <= 0xdd ? ["array", lead === 0xdc ? 2 : 4, 0, 0] : ["map", lead === 0xde ? 2 : 4, 0, 0]
}

/** The header at `start`; throws RangeError when the bytes end before it or its content does. */
export function readHeader(bytes: Uint8Array, start: number): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lead = view.getUint8(start)
  const scalar = scalarAt(view, lead, start + 1)
  if (scalar !== undefined) {
    const [content, size] = scalar
    const isSmallest = content.family !== "int" || smallestIntBytes(content.value ?? 0) === size + 1
    return { ...content, lead, start, end: start + 1 + size, count: 0, isSmallest }
  }
  const [family, width, inLead, extra] = sizedAt(lead)
  const size = width === 0 ? inLead : sizeAt(view, start + 1, width)
  const contentAt = start + 1 + width + extra
  if (family === "map" || family === "array")
    return { family, lead, start, end: contentAt, count: size, isSmallest: true }
  const end = contentAt + size
  if (end > bytes.length) throw new RangeError(`${family} of ${size} bytes at byte ${start}`)
  const text = family === "str" ? textOf(bytes.subarray(contentAt, end)) : {}
  return { family, lead, start, end, count: 0, isSmallest: true, ...text }
}
