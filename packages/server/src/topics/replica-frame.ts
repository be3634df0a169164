// Puts the frames of one replica for one viewer together: a head, then parts that are copied as they are. Begins a new
// frame where one would get too large.
import { frameByte } from "@hawser/protocol"
import type { OutboundMessage } from "@hawser/protocol"

/** Bytes of a frame after which the next part goes into another one. */
const frameTargetBytes = 32 * 1_024
const firstCapacityBytes = 4_096

export class ReplicaFrame {
  #send: (message: OutboundMessage) => void = () => {}
  #bytes = Buffer.allocUnsafeSlow(firstCapacityBytes)
  #length = 0
  #headLength = 0
  #replica = 0
  #isNeeded = false

  /** By which number the connection knows the replica of the next frames; `send` gets each, in memory of its own. */
  for(replica: number, send: (message: OutboundMessage) => void): this {
    this.#replica = replica
    this.#send = send
    return this
  }

  begin(isFresh: boolean): void {
    this.#length = 0
    this.#isNeeded = false
    this.#byte(frameByte.replicaParts)
    this.#varint(this.#replica * 2 + (isFresh ? 1 : 0))
    this.#headLength = this.#length
  }

  /** Also a frame without parts says something. */
  mustBeSent(): void {
    this.#isNeeded = true
  }

  part(cell: number, kind: number, body?: Uint8Array): void {
    if (this.#length > this.#headLength && this.#length + (body?.length ?? 0) > frameTargetBytes) {
      this.#flush()
      this.begin(false)
    }
    this.#isNeeded = true
    this.#varint(cell * 4 + kind)
    if (body === undefined) return
    this.#reserve(body.length)
    this.#bytes.set(body, this.#length)
    this.#length += body.length
  }

  /** Sends what is there, if it says anything. */
  end(): void {
    if (this.#isNeeded) this.#flush()
    this.#isNeeded = false
  }

  #flush(): void {
    this.#send({ bytes: Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length) })
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#byte(rest)
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = byte
    this.#length += 1
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
