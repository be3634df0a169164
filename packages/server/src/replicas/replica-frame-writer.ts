// Writes the frames of one replica for one viewer: a head, then parts that are copied unchanged. Begins a new frame when the
// current one would exceed `frameTargetBytes`. Must not know cells and records.
import { frameByte, outbound } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"

/** Bytes of a frame above which the next part begins another frame. A single part may be larger. */
const frameTargetBytes = 32 * 1_024
/** Bytes of a slab. Frames are written one after another into it; written memory is never overwritten. */
const slabBytes = 256 * 1_024
/** Shorter parts are copied byte by byte, which is faster than a call of `set`. */
const shortBytes = 48

/** Recipient of the frames. */
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

  /** Sets the replica's number on the connection and the recipient of the next frames. */
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

  /** Marks the frame as required: it is sent even without parts. */
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

  /** Sends the current frame if it has parts or is required. */
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

  /** Continues the current frame in a new slab if the current slab has less than `count` free bytes. */
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
