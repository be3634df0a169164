// A selection of a record that keeps its object while its members are equal. Must not know React.

/** Selects from a value that may be absent, and keeps the last selection. */
export class Selection {
  #select: unknown
  #from: unknown
  #selected: unknown

  /** Returns the last selection if it equals the current one. `select` is called for another value, and if it is another function. */
  of<T>(from: T | undefined, select: (value: T) => unknown): unknown {
    if (from === this.#from && select === this.#select) return this.#selected
    const selected = from === undefined ? undefined : select(from)
    this.#from = from
    this.#select = select
    if (!isEqual(selected, this.#selected)) this.#selected = selected
    return this.#selected
  }
}

/** Compares plain objects and arrays by their members, other values by identity. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (!isPlain(one) || !isPlain(other) || Array.isArray(one) !== Array.isArray(other)) return false
  const entries = Object.entries(one)
  return (
    entries.length === Object.keys(other).length &&
    entries.every(([key, value]) => key in other && Object.is(value, other[key]))
  )
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && (value?.constructor === Object || Array.isArray(value))
}
