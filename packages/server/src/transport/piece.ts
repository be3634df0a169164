// What a connection has to write in this turn of the event loop, as a chain of pieces that ends with the latest.
// Connections that are told the same share the chain, so that it is made, and joined into one, once for all of them.
import type { FrameSlab } from "./framing.ts"

/** Chains are joined up to here: one piece is cheaper to write than several, as long as copying is cheap. */
const joinedMaxBytes = 16 * 1024

export class Piece {
  readonly #bytes: Buffer
  readonly #before: Piece | undefined
  /** Of the whole chain. */
  readonly length: number
  /** What somebody was last told after this; most of those who were told the same go on in the same way. */
  #next: Piece | undefined
  #joined: Buffer | undefined

  private constructor(bytes: Buffer, before?: Piece) {
    this.#bytes = bytes
    this.#before = before
    this.length = bytes.length + (before?.length ?? 0)
  }

  /** What every chain of one turn begins with: nothing. */
  static start(): Piece {
    return new Piece(Buffer.alloc(0))
  }

  /** The chain that goes on with `bytes`. */
  followedBy(bytes: Buffer): Piece {
    const known = this.#next
    if (known !== undefined && known.#bytes === bytes) return known
    this.#next = new Piece(bytes, this)
    return this.#next
  }

  /** The whole chain as one piece; undefined where it is too long to be copied. */
  joined(slab: FrameSlab): Buffer | undefined {
    const before = this.#before
    // Only the start has nothing before it.
    if (before === undefined || before.#before === undefined) return this.#bytes
    if (this.length > joinedMaxBytes) return undefined
    this.#joined ??= slab.join(this.pieces(), this.length)
    return this.#joined
  }

  /** All of the chain, in order. */
  pieces(): Buffer[] {
    const pieces = [this.#bytes]
    // The start is no piece.
    for (let piece = this.#before; piece !== undefined && piece.length > 0; piece = piece.#before)
      pieces.push(piece.#bytes)
    return pieces.reverse()
  }
}
