// Maps names of message types to their numbers in `hawser.1` and back. WELCOME carries the server's table, so that ends with
// different versions of a contract agree on names.

/** Table of type names of one session. */
export class TypeTable {
  #names: readonly string[] = []
  #numbers = new Map<string, number>()

  /** Creates a table. A name's number is its index in `names`. Default: no names. */
  constructor(names: readonly string[] = []) {
    this.replace(names)
  }

  /** Names in the order of their numbers. */
  get names(): readonly string[] {
    return this.#names
  }

  /** Replaces the table by the server's, at WELCOME. */
  replace(names: readonly string[]): void {
    this.#names = names
    this.#numbers = new Map(names.map((name, index) => [name, index]))
  }

  /** Returns true if the table contains the name. */
  has(name: string): boolean {
    return this.#numbers.has(name)
  }

  /** Returns the number of a name. Throws RangeError for a name that is not in the table; the caller checks `has` before. */
  numberOf(name: string): number {
    const number = this.#numbers.get(name)
    if (number === undefined)
      throw new RangeError(`message type "${name}" is not in the table of this session`)
    return number
  }

  /** Returns the name of a number; for an unknown number `#number`, which no contract can contain. */
  nameOf(number: number): string {
    return this.#names[number] ?? `#${number}`
  }
}
