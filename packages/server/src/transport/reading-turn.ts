// Shares a turn of the event loop among connections that bring much: beyond a bound of bytes they are not read until a
// later turn, a few at a time, the longest held first. So timers and small messages never wait for a pile of large ones.
// Must not know messages.

/** A connection whose reading can be held back, whatever its owner does with it meanwhile. */
export interface Held {
  holdReading(): void
  releaseReading(): void
}

/** Bytes of longer messages in one turn. Decoding takes 60 ns a byte at worst: maps of thousands of keys. */
const turnMaxBytes = 256 * 1024
/** Shorter messages are not counted: of them the bucket of a user lets 200 through at once. */
const shortMaxBytes = 1_024
/** Connections that are read again in a turn: each brings 64 KiB or less before it is held again. */
const releasedPerTurn = 4

export class ReadingTurn {
  #bytes = 0
  #isDue = false
  readonly #held = new Set<Held>()
  readonly #next = (): void => {
    this.#isDue = false
    this.#bytes = 0
    let released = 0
    for (const connection of this.#held) {
      if (released === releasedPerTurn) break
      released += 1
      this.#held.delete(connection)
      connection.releaseReading()
    }
    if (this.#held.size > 0) this.#schedule()
  }

  /** A message of so many bytes was handed over. */
  took(bytes: number, connection: Held): void {
    if (bytes <= shortMaxBytes) return
    this.#bytes += bytes
    this.#schedule()
    if (this.#bytes <= turnMaxBytes || this.#held.has(connection)) return
    this.#held.add(connection)
    connection.holdReading()
  }

  /** The connection has ended. */
  forget(connection: Held): void {
    this.#held.delete(connection)
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(this.#next)
  }
}
