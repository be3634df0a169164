// Output of a connection in one turn of the event loop, as a chain of pieces that ends with the latest one. Connections with the
// same output share the chain, so it is built and joined once for all of them. Must not know sockets.
import type { FrameSlab } from "./framing.ts"

/** Largest chain that is joined, in bytes. Below it, one write of a copy is cheaper than several writes. */
const joinedMaxBytes = 16 * 1024

export class Piece {
  readonly #bytes: Buffer
  readonly #before: Piece | undefined
  /** Bytes of the whole chain. */
  readonly length: number
  /** Latest piece that was added after this one. Connections with the same output usually add the same piece next. */
  #next: Piece | undefined
  #joined: Buffer | undefined

  private constructor(bytes: Buffer, before?: Piece) {
    this.#bytes = bytes
    this.#before = before
    this.length = bytes.length + (before?.length ?? 0)
  }

  /** Returns the empty first piece of the chains of one turn. */
  static start(): Piece {
    return new Piece(Buffer.alloc(0))
  }

  /** Returns the chain that continues with `bytes`. */
  followedBy(bytes: Buffer): Piece {
    const known = this.#next
    if (known !== undefined && known.#bytes === bytes) return known
    this.#next = new Piece(bytes, this)
    return this.#next
  }

  /** Returns the whole chain as one piece; undefined if it exceeds `joinedMaxBytes`. */
  joined(slab: FrameSlab): Buffer | undefined {
    const before = this.#before
    // Only the first piece has no predecessor.
    if (before === undefined || before.#before === undefined) return this.#bytes
    if (this.length > joinedMaxBytes) return undefined
    this.#joined ??= slab.join(this.pieces(), this.length)
    return this.#joined
  }

  /** Returns the pieces of the chain, in order. */
  pieces(): Buffer[] {
    const pieces = [this.#bytes]
    // The empty first piece is skipped.
    for (let piece = this.#before; piece !== undefined && piece.length > 0; piece = piece.#before)
      pieces.push(piece.#bytes)
    return pieces.reverse()
  }
}
