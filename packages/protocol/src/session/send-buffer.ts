// Send buffer: the unacknowledged reliable messages of one direction, in a ring. Sessions share the messages of a broadcast.
// Its bounds are checked by `isFullFor`. Numbers start at 1 and are never written on the wire. Must not know connections.
// Invariants: base ≤ sent ≤ head; the ring holds exactly (base, head]; `bytes` is the sum of what it holds.
import type { OutboundMessage } from "../transport.ts"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

/** Bounds of one send buffer. */
export interface SendBufferLimits {
  /** Number of messages in the buffer. At capacity `isFullFor` returns true. */
  readonly sendBufferMaxCount: number
  /** Bytes of these messages. */
  readonly sendBufferMaxBytes: number
}

/** Bytes in all send buffers of a server or client. A message in several buffers counts once. */
export interface KeptBytes {
  /** Bytes of the buffered messages. */
  bytes: number
}

const firstCapacity = 8
/** Largest ring that an empty buffer retains, in messages: one acknowledgement covers about as many. */
const keptCapacity = 128

/** Send buffer of one session. */
export class SendBuffer {
  readonly #limits: SendBufferLimits
  readonly #kept: KeptBytes
  /** The ring. Its capacity is a power of two, so that a mask gives the index of a number. Empty until the first message. */
  #messages: (OutboundMessage | undefined)[] = []
  /** Digests up to `base` and up to `head`, as signed numbers: V8 stores those inside the object. */
  #baseDigest = emptyDigest
  #headDigest = emptyDigest
  #base = 0
  #sent = 0
  #head = 0
  #bytes = 0

  /** Creates an empty buffer. @param kept shared sum of the bytes in all buffers. */
  constructor(limits: SendBufferLimits, kept: KeptBytes) {
    this.#limits = limits
    this.#kept = kept
  }

  /** The last acknowledged number. */
  get base(): number {
    return this.#base
  }

  /** The last number that was sent on the current connection. */
  get sent(): number {
    return this.#sent
  }

  /** The last assigned number. */
  get head(): number {
    return this.#head
  }

  /** Bytes of the unacknowledged messages. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns true if a message of this size would exceed a bound. An empty buffer takes a message of any size. */
  isFullFor(bytes: number): boolean {
    const count = this.#head - this.#base
    if (count === 0) return false
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.#limits
    return count >= sendBufferMaxCount || this.#bytes + bytes > sendBufferMaxBytes
  }

  /** Returns true if a message of this size would exceed a bound, without this many messages and bytes of the buffer. */
  isFullWithout(count: number, sum: number, bytes: number): boolean {
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.#limits
    return (
      this.#head - this.#base - count >= sendBufferMaxCount || this.#bytes - sum + bytes > sendBufferMaxBytes
    )
  }

  /** Appends a message and returns its number. The caller has checked `isFullFor`. */
  append(message: OutboundMessage): number {
    this.#reserve()
    message.hash ??= hashMessage(message.bytes) | 0
    this.#head += 1
    this.#headDigest = extendDigest(this.#headDigest, message.hash) | 0
    this.#messages[this.#head & (this.#messages.length - 1)] = message
    this.#bytes += message.bytes.length
    this.#keep(message)
    return this.#head
  }

  /** The next message to send; undefined if all were sent. */
  get next(): OutboundMessage | undefined {
    return this.#sent === this.#head ? undefined : this.#at(this.#sent + 1)
  }

  /** Records that the message of `next` was sent. */
  markSent(): void {
    if (this.#sent < this.#head) this.#sent += 1
  }

  /** Removes the messages up to `count`. Returns false for a count above the sent messages. */
  acknowledge(count: number): boolean {
    if (count > this.#sent) return false
    // Acknowledgements are cumulative; a late one has no effect.
    if (count <= this.#base) return true
    this.#baseDigest = this.#digestFromBase(count)
    const mask = this.#messages.length - 1
    for (let number = this.#base + 1; number <= count; number += 1) {
      const message = this.#messages[number & mask]
      if (message !== undefined) this.#release(message)
      this.#messages[number & mask] = undefined
    }
    this.#base = count
    // Most sessions are idle most of the time and should retain only a small ring.
    if (this.#base === this.#head && this.#messages.length > keptCapacity) this.#messages = []
    return true
  }

  /** Starts sending after `count` on a new connection. The caller has checked base ≤ count ≤ head. */
  rewind(count: number): void {
    this.#sent = Math.min(Math.max(count, this.#base), this.#head)
  }

  /** Returns the digest of all messages up to `count`; undefined outside [base, head]. */
  digestAt(count: number): number | undefined {
    if (count === this.#head) return this.#headDigest >>> 0
    if (count < this.#base || count > this.#head) return undefined
    return this.#digestFromBase(count) >>> 0
  }

  /** Computes the digest from the messages' hashes on demand, which is cheaper than storing one with each message. */
  #digestFromBase(count: number): number {
    let digest = this.#baseDigest
    for (let number = this.#base + 1; number <= count; number += 1)
      digest = extendDigest(digest, this.#at(number)?.hash ?? 0) | 0
    return digest
  }

  /** Returns the unacknowledged messages, oldest first. */
  unacknowledged(): OutboundMessage[] {
    return this.#after(this.#base)
  }

  /** Returns the messages that were not sent on the current connection, oldest first. */
  unsent(): OutboundMessage[] {
    return this.#after(this.#sent)
  }

  /** Continues after `base` acknowledged messages with this digest. Only before the first message. */
  startAt(base: number, digest: number): void {
    this.#base = base
    this.#sent = base
    this.#head = base
    this.#baseDigest = digest | 0
    this.#headDigest = this.#baseDigest
  }

  #after(count: number): OutboundMessage[] {
    const messages: OutboundMessage[] = []
    for (let number = count + 1; number <= this.#head; number += 1) {
      const message = this.#at(number)
      if (message !== undefined) messages.push(message)
    }
    return messages
  }

  /** Removes all messages. Numbers continue. */
  clear(): void {
    for (const message of this.unacknowledged()) this.#release(message)
    this.#messages = []
    this.#base = this.#head
    this.#sent = this.#head
    this.#baseDigest = this.#headDigest
  }

  #keep(message: OutboundMessage): void {
    message.keepers = (message.keepers ?? 0) + 1
    if (message.keepers === 1) this.#kept.bytes += message.bytes.length
  }

  #release(message: OutboundMessage): void {
    this.#bytes -= message.bytes.length
    message.keepers = (message.keepers ?? 1) - 1
    if (message.keepers === 0) this.#kept.bytes -= message.bytes.length
  }

  #at(number: number): OutboundMessage | undefined {
    return this.#messages[number & (this.#messages.length - 1)]
  }

  #reserve(): void {
    const capacity = this.#messages.length
    if (this.#head - this.#base < capacity) return
    const larger = capacity === 0 ? firstCapacity : capacity * 2
    const messages: (OutboundMessage | undefined)[] = Array.from({ length: larger }, () => undefined)
    for (let number = this.#base + 1; number <= this.#head; number += 1)
      messages[number & (larger - 1)] = this.#messages[number & (capacity - 1)]
    this.#messages = messages
  }
}
