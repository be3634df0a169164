// Limits the bytes of large messages that are dispatched in one turn of the event loop. At the limit, connections that receive
// more are held: they are read again in later turns, `releasedPerTurn` at a time, the longest held first. Timers and small messages
// therefore run between large messages. Must not know the content of messages.

/** A connection whose reading can be held, independently of pauses by its owner. */
export interface Held {
  holdReading(): void
  releaseReading(): void
}

/** Bytes of large messages in one turn. Decoding takes at most 60 ns a byte, for maps of thousands of keys. */
const turnMaxBytes = 256 * 1024
/** Largest message that is not counted. A user's rate limit permits a burst of 200 of them. */
const shortMaxBytes = 1_024
/** Connections that are released in one turn. Each reads at most 64 KiB before it is held again. */
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

  /** True if a message of `bytes` bytes may be dispatched in this turn. Otherwise holds the connection. */
  takes(bytes: number, connection: Held): boolean {
    if (bytes <= shortMaxBytes) return true
    if (this.#bytes >= turnMaxBytes) {
      this.hold(connection)
      return false
    }
    this.#bytes += bytes
    this.#schedule()
    return true
  }

  /** Holds a connection until a later turn. */
  hold(connection: Held): void {
    this.#held.add(connection)
    connection.holdReading()
    this.#schedule()
  }

  /** Removes a connection that has ended. */
  forget(connection: Held): void {
    this.#held.delete(connection)
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(this.#next)
  }
}
