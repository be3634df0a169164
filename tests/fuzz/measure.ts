// Measures a decoded value: the structures that a peer made us build. Must not know bytes or limits.

export interface Measure {
  /** Array items, and map entries twice, as the limits count. Duplicate keys of the message are one entry here. */
  elements: number
  /** Greatest depth of nested containers. */
  depth: number
  /** Bytes of all text as UTF-8, keys included, and of all binaries. */
  contentBytes: number
  /** An upper estimate of the value's heap, in bytes: see `cost`. */
  heapBytes: number
  /** A value that no message may produce, or undefined. */
  fault: string | undefined
}

/**
 * Bytes of V8's objects (64-bit, no pointer compression), rounded up: text at two bytes a character, maps in their most
 * expensive form (a dictionary).
 */
const cost = {
  text: 24,
  character: 2,
  number: 16,
  date: 96,
  binary: 104,
  array: 32,
  item: 8,
  map: 56,
  entry: 48,
} as const

export function measure(value: unknown): Measure {
  const found: Measure = { elements: 0, depth: 0, contentBytes: 0, heapBytes: 0, fault: undefined }
  walk(value, 0, found)
  return found
}

function walk(value: unknown, depth: number, found: Measure): void {
  if (typeof value === "string") {
    found.contentBytes += Buffer.byteLength(value)
    found.heapBytes += cost.text + cost.character * value.length
  } else if (typeof value === "number") {
    found.heapBytes += cost.number
  } else if (typeof value === "object" && value !== null) {
    walkObject(value, depth, found)
  } else if (value !== undefined && value !== null && typeof value !== "boolean") {
    found.fault = `a value of type ${typeof value}`
  }
}

function walkObject(value: object, depth: number, found: Measure): void {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    enter(found, depth + 1, items.length)
    found.heapBytes += cost.array + cost.item * items.length
    for (const item of items) walk(item, depth + 1, found)
  } else if (value instanceof Uint8Array) {
    found.contentBytes += value.length
    found.heapBytes += cost.binary + value.length
  } else if (value instanceof Date) {
    found.heapBytes += cost.date
    if (Number.isNaN(value.getTime())) found.fault = "an invalid Date"
  } else {
    walkMap(value, depth, found)
  }
}

function walkMap(value: object, depth: number, found: Measure): void {
  if (Object.getPrototypeOf(value) !== Object.prototype) found.fault = "an object with a prototype of its own"
  if (Object.hasOwn(value, "__proto__")) found.fault = "the key __proto__"
  const entries: [string, unknown][] = Object.entries(value)
  enter(found, depth + 1, 2 * entries.length)
  found.heapBytes += cost.map + cost.entry * entries.length
  for (const [key, member] of entries) {
    walk(key, depth, found)
    walk(member, depth + 1, found)
  }
}

function enter(found: Measure, depth: number, elements: number): void {
  found.depth = Math.max(found.depth, depth)
  found.elements += elements
}

/**
 * Place and kind of the first difference after a round trip; undefined without one. `undefined` becomes nil and -0
 * becomes 0; Dates and binaries are compared by content.
 */
export function difference(sent: unknown, back: unknown, path = "it"): string | undefined {
  if (isSameLeaf(sent, back)) return undefined
  if (!isContainer(sent) || !isContainer(back) || Array.isArray(sent) !== Array.isArray(back)) {
    return `${path} was ${show(sent)} and returned as ${show(back)}`
  }
  const [ours, theirs] = [membersOf(sent), membersOf(back)]
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const isLost = ours.get(key) !== undefined && !theirs.has(key)
    const found = isLost
      ? `${path}.${key} was lost`
      : difference(ours.get(key), theirs.get(key), `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function isSameLeaf(sent: unknown, back: unknown): boolean {
  if (sent === back || (sent ?? null) === (back ?? null)) return true
  if (typeof sent === "number") return Number.isNaN(sent) && Number.isNaN(back)
  if (sent instanceof Uint8Array) return back instanceof Uint8Array && Buffer.compare(sent, back) === 0
  return sent instanceof Date && back instanceof Date && sent.getTime() === back.getTime()
}

function isContainer(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date)
  )
}

function membersOf(value: object): Map<string, unknown> {
  const entries: [string, unknown][] = Object.entries(value)
  return new Map(entries)
}

function show(value: unknown): string {
  return typeof value === "number" ? String(value) : String(JSON.stringify(value)).slice(0, 100)
}
