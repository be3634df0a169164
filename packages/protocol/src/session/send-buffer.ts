// The reliable messages of one direction that the other end has not acknowledged: a ring that shares its messages
// with every other session that waits for the same broadcast. Numbers start at 1 and are never written on the wire.
// Invariants: base ≤ sent ≤ head; the ring holds exactly (base, head]; `bytes` is the sum of what it holds.
import { outbound } from "../transport.ts"
import type { OutboundMessage } from "../transport.ts"
import type { SentRecord } from "./delivery-record.ts"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"

export interface SendBufferLimits {
  readonly sendBufferMaxCount: number
  readonly sendBufferMaxBytes: number
}

/** What many buffers keep together: a message that several of them keep counts once. */
export interface KeptBytes {
  bytes: number
}

const firstCapacity = 8
/** What a buffer that is empty keeps for the next messages: as many as are acknowledged at once. */
const keptCapacity = 128

export class SendBuffer {
  readonly #limits: SendBufferLimits
  readonly #kept: KeptBytes
  /** Capacities are powers of two, so that a number's place is a mask away. Empty until the first message. */
  #messages: (OutboundMessage | undefined)[] = []
  /** Digests up to `base` and up to `head`, as signed numbers: V8 keeps those in the object itself. */
  #baseDigest = emptyDigest
  #headDigest = emptyDigest
  #base = 0
  #sent = 0
  #head = 0
  #bytes = 0

  constructor(limits: SendBufferLimits, kept: KeptBytes) {
    this.#limits = limits
    this.#kept = kept
  }

  /** The last number that the other end has acknowledged. */
  get base(): number {
    return this.#base
  }

  /** The last number that was handed to the connection of now. */
  get sent(): number {
    return this.#sent
  }

  /** The last number given out. */
  get head(): number {
    return this.#head
  }

  /** Bytes of the messages that are not acknowledged. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when a message of this size would exceed a bound. A single message always fits into an empty buffer. */
  isFullFor(bytes: number): boolean {
    const count = this.#head - this.#base
    if (count === 0) return false
    const { sendBufferMaxCount, sendBufferMaxBytes } = this.#limits
    return count >= sendBufferMaxCount || this.#bytes + bytes > sendBufferMaxBytes
  }

  /** Takes a message and returns its number. The caller has asked `isFullFor`. */
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

  /** The next message to hand over; undefined when all have been. */
  get next(): OutboundMessage | undefined {
    return this.#sent === this.#head ? undefined : this.#at(this.#sent + 1)
  }

  /** What `next` gave was handed over. */
  markSent(): void {
    if (this.#sent < this.#head) this.#sent += 1
  }

  /** The other end has settled everything up to `count`. False when it claims what it was never sent. */
  acknowledge(count: number): boolean {
    if (count > this.#sent) return false
    // Acknowledgements are cumulative; a late one says nothing new.
    if (count <= this.#base) return true
    this.#baseDigest = this.#digestFromBase(count)
    const mask = this.#messages.length - 1
    for (let number = this.#base + 1; number <= count; number += 1) {
      const message = this.#messages[number & mask]
      if (message !== undefined) this.#letGo(message)
      this.#messages[number & mask] = undefined
    }
    this.#base = count
    // Most sessions are idle most of the time: they keep a small ring at most.
    if (this.#base === this.#head && this.#messages.length > keptCapacity) this.#messages = []
    return true
  }

  /** A new connection: everything after `count` is to be sent (again). The caller has checked base ≤ count ≤ head. */
  rewind(count: number): void {
    this.#sent = Math.min(Math.max(count, this.#base), this.#head)
  }

  /** The digest of everything up to `count`; undefined outside [base, head]. */
  digestAt(count: number): number | undefined {
    if (count === this.#head) return this.#headDigest >>> 0
    if (count < this.#base || count > this.#head) return undefined
    return this.#digestFromBase(count) >>> 0
  }

  /** Made of the messages' hashes when it is asked for, once for each message: cheaper than to keep one with each. */
  #digestFromBase(count: number): number {
    let digest = this.#baseDigest
    for (let number = this.#base + 1; number <= count; number += 1)
      digest = extendDigest(digest, this.#at(number)?.hash ?? 0) | 0
    return digest
  }

  /** What is not acknowledged, oldest first. */
  unacknowledged(): OutboundMessage[] {
    return this.#after(this.#base)
  }

  /** Messages that the current connection has not been given, oldest first. */
  unsent(): OutboundMessage[] {
    return this.#after(this.#sent)
  }

  /** Returns the record of what is not acknowledged. */
  record(): SentRecord {
    const messages = this.unacknowledged().map(({ bytes }) => bytes)
    return { base: this.#base, baseDigest: this.#baseDigest >>> 0, messages }
  }

  /** Continues from a record, whatever its size. Only before the first message. */
  restore({ base, baseDigest, messages }: SentRecord): void {
    this.#base = base
    this.#head = base
    this.#baseDigest = baseDigest | 0
    this.#headDigest = this.#baseDigest
    for (const bytes of messages) this.append(outbound(bytes))
    this.#sent = this.#head
  }

  #after(count: number): OutboundMessage[] {
    const messages: OutboundMessage[] = []
    for (let number = count + 1; number <= this.#head; number += 1) {
      const message = this.#at(number)
      if (message !== undefined) messages.push(message)
    }
    return messages
  }

  /** Lets go of everything: the session has ended. */
  clear(): void {
    for (const message of this.unacknowledged()) this.#letGo(message)
    this.#messages = []
    this.#base = this.#head
    this.#sent = this.#head
    this.#baseDigest = this.#headDigest
  }

  #keep(message: OutboundMessage): void {
    message.keepers = (message.keepers ?? 0) + 1
    if (message.keepers === 1) this.#kept.bytes += message.bytes.length
  }

  #letGo(message: OutboundMessage): void {
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
