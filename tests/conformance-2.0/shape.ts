// Shapes of decoded values: small checks that compose and report the place of a difference. Keys beyond those of a
// shape are allowed, as every client of the dialect ignores them.
import { Mismatch, show } from "./case.ts"

export type PlainMap = Readonly<Record<string, unknown>>

export interface Shape {
  readonly label: string
  /** One line per difference, each beginning with the path of the value. */
  differences(path: string, value: unknown): readonly string[]
}

export function isMap(value: unknown): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function leaf(label: string, test: (value: unknown) => boolean): Shape {
  return {
    label,
    differences: (path, value) => (test(value) ? [] : [`${path} is ${show(value)}, not ${label}`]),
  }
}

export const int = leaf("an integer", Number.isInteger)
export const numeric = leaf("a number", (value) => typeof value === "number" && Number.isFinite(value))
export const positive = leaf("a number above 0", (value) => typeof value === "number" && value > 0)
export const text = leaf("a text", (value) => typeof value === "string")
export const nonEmptyText = leaf(
  "a text that is not empty",
  (value) => typeof value === "string" && value !== "",
)
export const flag = leaf("a boolean", (value) => typeof value === "boolean")
export const nil = leaf("nil", (value) => value === null)
export const anyMap = leaf("a map", isMap)
export const anyList = leaf("an array", Array.isArray)
export const present = leaf("present", (value) => value !== undefined)

export function exactly(expected: string | number | boolean): Shape {
  return leaf(show(expected), (value) => value === expected)
}

export function oneOf(...expected: readonly (string | number)[]): Shape {
  return leaf(`one of ${expected.join(", ")}`, (value) => expected.some((one) => one === value))
}

export function either(...shapes: readonly Shape[]): Shape {
  const matches = (value: unknown) => shapes.some((shape) => shape.differences("", value).length === 0)
  return leaf(shapes.map((shape) => shape.label).join(" or "), matches)
}

/** An array whose every item has the shape; of exactly `count` items when that is given. */
export function list(item: Shape, count?: number): Shape {
  const label = count === undefined ? "an array" : `an array of ${count}`
  return {
    label,
    differences: (path, value) => {
      if (!Array.isArray(value)) return [`${path} is ${show(value)}, not ${label}`]
      if (count !== undefined && value.length !== count)
        return [`${path} has ${value.length} items, not ${count}`]
      return value.flatMap((one: unknown, index) => item.differences(`${path}[${index}]`, one))
    },
  }
}

/** A map with at least these keys. */
export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  return {
    label: "a map",
    differences: (path, value) => {
      if (!isMap(value)) return [`${path} is ${show(value)}, not a map`]
      return Object.entries(shapes).flatMap(([key, shape]) =>
        Object.hasOwn(value, key)
          ? shape.differences(`${path}.${key}`, value[key])
          : [`${path}.${key} is absent (wanted: ${shape.label})`],
      )
    },
  }
}

/** A map with these keys and no other. */
export function onlyFields(shapes: Readonly<Record<string, Shape>>): Shape {
  const inner = fields(shapes)
  return {
    label: inner.label,
    differences: (path, value) => {
      const extra = isMap(value) ? Object.keys(value).filter((key) => !Object.hasOwn(shapes, key)) : []
      return [...inner.differences(path, value), ...extra.map((key) => `${path}.${key} should not be there`)]
    },
  }
}

/** A map whose every value has the shape, whatever its keys are. */
export function dictionary(item: Shape): Shape {
  return {
    label: "a map",
    differences: (path, value) => {
      if (!isMap(value)) return [`${path} is ${show(value)}, not a map`]
      return Object.entries(value).flatMap(([key, one]) => item.differences(`${path}.${key}`, one))
    },
  }
}

export function expectShape(what: string, value: unknown, shape: Shape): void {
  const found = shape.differences(what, value)
  if (found.length === 0) return
  const more = found.length > 5 ? ` (and ${found.length - 5} more)` : ""
  throw new Mismatch(`${what} in the shape of the wire document`, `${found.slice(0, 5).join("; ")}${more}`)
}
