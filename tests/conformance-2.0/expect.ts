// Plain expectations and typed reading of decoded values; all of them end in a Mismatch.
import { isDeepStrictEqual } from "node:util"
import { Mismatch, show } from "./case.ts"
import { isMap, type PlainMap } from "./shape.ts"

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Mismatch(`${what} = ${show(expected)}`, show(actual))
}

export function expectThat(holds: boolean, expected: string, actual: unknown): asserts holds {
  if (!holds) throw new Mismatch(expected, show(actual))
}

/** The value at a path of keys, or undefined where the path breaks off. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here: unknown = value
  for (const key of path) here = isMap(here) && Object.hasOwn(here, key) ? here[key] : undefined
  return here
}

export function intAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path)
  if (typeof found === "number" && Number.isInteger(found)) return found
  throw new Mismatch(`an integer at ${path.join(".")}`, show(found))
}

export function numberAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path)
  if (typeof found === "number" && Number.isFinite(found)) return found
  throw new Mismatch(`a number at ${path.join(".")}`, show(found))
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path)
  if (typeof found === "string") return found
  throw new Mismatch(`a text at ${path.join(".")}`, show(found))
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  if (Array.isArray(found)) return found
  throw new Mismatch(`an array at ${path.join(".")}`, show(found))
}

export function mapAt(value: unknown, ...path: readonly string[]): PlainMap {
  const found = at(value, ...path)
  if (isMap(found)) return found
  throw new Mismatch(`a map at ${path.join(".")}`, show(found))
}
