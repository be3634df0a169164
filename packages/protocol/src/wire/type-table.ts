// Names of message types ↔ the small integers that stand for them in `hawser.1`. The server's table rules:
// WELCOME carries it, so that ends built from different versions of a contract agree on names.

export class TypeTable {
  #names: readonly string[] = []
  #numbers = new Map<string, number>()

  constructor(names: readonly string[] = []) {
    this.replace(names)
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** Takes the peer's table, at WELCOME. */
  replace(names: readonly string[]): void {
    this.#names = names
    this.#numbers = new Map(names.map((name, index) => [name, index]))
  }

  has(name: string): boolean {
    return this.#numbers.has(name)
  }

  /** Throws for a name that the table lacks: the caller checks `has` where a peer may be older. */
  numberOf(name: string): number {
    const number = this.#numbers.get(name)
    if (number === undefined)
      throw new RangeError(`message type "${name}" is not in the table of this session`)
    return number
  }

  /** An unknown number becomes a name that no contract can hold, so that it is reported and not mistaken. */
  nameOf(number: number): string {
    return this.#names[number] ?? `#${number}`
  }
}
