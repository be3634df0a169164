// One write per connection and turn of the event loop: who has something to write is flushed once, at its end.

interface Flushing {
  flush(): void
}

export class Turn {
  #waiting: Flushing[] = []

  add(connection: Flushing): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush())
    this.#waiting.push(connection)
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of waiting) connection.flush()
    this.ended()
  }

  /** Everybody has written. */
  protected ended(): void {}
}
