// Puts the frames of one replica for one viewer together: a head, then parts that are copied as they are. Begins a new
// frame where one would get too large.
import { frameByte, outbound } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"

/** Bytes of a frame after which the next part goes into another one. */
const frameTargetBytes = 32 * 1_024
/** Frames are put together one behind the other in memory that nobody writes a second time. */
const slabBytes = 256 * 1_024
/** Shorter pieces are faster copied byte by byte than by a call into the engine. */
const shortBytes = 48

/** Who a frame is for. */
interface FrameRecipient {
  send(message: OutboundMessage): void
}

export class ReplicaFrameWriter {
  #recipient: FrameRecipient | undefined
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  #start = 0
  #end = 0
  #headEnd = 0
  #replica = 0
  #isNeeded = false

  /** By which number the connection knows the replica of the next frames; the recipient gets each, in memory of its own. */
  for(replica: number, recipient: FrameRecipient): this {
    this.#replica = replica
    this.#recipient = recipient
    return this
  }

  begin(isFresh: boolean): void {
    this.#end = this.#start
    this.#isNeeded = false
    this.#reserve(16)
    this.#slab[this.#end] = frameByte.replicaParts
    this.#end += 1
    this.#varint(this.#replica * 2 + (isFresh ? 1 : 0))
    this.#headEnd = this.#end
  }

  /** Also a frame without parts says something. */
  requireSend(): void {
    this.#isNeeded = true
  }

  part(cell: number, kind: number, body?: Uint8Array): void {
    const length = body?.length ?? 0
    if (this.#end > this.#headEnd && this.#end - this.#start + length > frameTargetBytes) {
      this.#flush()
      this.begin(false)
    }
    this.#isNeeded = true
    this.#reserve(length + 8)
    this.#varint(cell * 4 + kind)
    if (body === undefined) return
    const slab = this.#slab
    const at = this.#end
    if (length > shortBytes) slab.set(body, at)
    else for (let index = 0; index < length; index += 1) slab[at + index] = body[index] ?? 0
    this.#end = at + length
  }

  /** Sends what is there, if it says anything. */
  end(): void {
    if (this.#isNeeded) this.#flush()
    this.#isNeeded = false
  }

  #flush(): void {
    const bytes = this.#slab.subarray(this.#start, this.#end)
    this.#start = this.#end
    this.#headEnd = this.#end
    this.#recipient?.send(outbound(bytes))
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#slab[this.#end] = (rest % 0x80) | 0x80
      this.#end += 1
      rest = Math.floor(rest / 0x80)
    }
    this.#slab[this.#end] = rest
    this.#end += 1
  }

  /** Goes on in another slab where this one has no room for so many bytes more. */
  #reserve(count: number): void {
    if (this.#end + count <= this.#slab.length) return
    const begun = this.#slab.subarray(this.#start, this.#end)
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, begun.length + count))
    this.#slab.set(begun)
    this.#headEnd -= this.#start
    this.#end = begun.length
    this.#start = 0
  }
}
