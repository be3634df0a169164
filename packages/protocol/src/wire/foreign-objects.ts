// Converts objects of another realm (a frame of the page, the context of a test), whose prototypes differ, and refuses class
// instances with advice. Arrays, plain objects and this realm's dates and binaries never arrive here. Must not know bytes.
import { Refusal } from "./unsendable.ts"

const advice: ReadonlyMap<string, string> = new Map([
  ["Map", "send Object.fromEntries(map), or [...map]"],
  ["Set", "send [...set]"],
  ["URL", "send url.href"],
  ["Promise", "await it first"],
  ["RegExp", "send its source"],
  ["SharedArrayBuffer", "send a Uint8Array of it"],
])

/**
 * Returns the value as a `Date` or `Uint8Array` of this realm, or the object itself if it is a plain one.
 * @throws Refusal for any other object.
 */
export function ofThisRealm(value: object, prototype: unknown): object {
  const tag = Object.prototype.toString.call(value)
  if (tag === "[object Date]") return new Date(Date.prototype.getTime.call(value))
  if (ArrayBuffer.isView(value)) {
    if (tag === "[object DataView]" || tag === "[object Uint8Array]")
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    const name = tag.slice("[object ".length, -1)
    throw new Refusal(`a ${name} is not sent; send Array.from(array), or its bytes as a Uint8Array`)
  }
  if (isArrayBuffer(value, tag)) return new Uint8Array(value)
  if (tag === "[object Object]" && Object.getPrototypeOf(prototype) === null) return value
  throw foreignClass(value)
}

function isArrayBuffer(value: object, tag: string): value is ArrayBuffer {
  return value instanceof ArrayBuffer || tag === "[object ArrayBuffer]"
}

function foreignClass(value: object): Refusal {
  const { constructor } = value
  const name = typeof constructor === "function" ? constructor.name : ""
  if (name === "" || name === "Object")
    return new Refusal("an object that inherits members is not sent; send a plain object")
  const instead = value instanceof Error ? "send its message, or throw a HawserError" : "send a plain object"
  return new Refusal(`an object of the class ${name} is not sent; ${advice.get(name) ?? instead}`)
}
