// Simulates one direction of a socket as a byte stream: bytes are accepted, buffered, sent at the line's rate, and read after
// the latency. A message is delivered when its last byte is read, never in part. At `windowBytes` the sender waits.
// Must not know sockets or the content of messages.
import type { Clock } from "../base/clock.ts"

export type PipeItem =
  /** The server's side of the opening handshake. */
  | { readonly kind: "open" }
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  /** A text message. No profile uses them, so its content does not matter. */
  | { readonly kind: "text" }
  | { readonly kind: "ping" }
  | { readonly kind: "pong" }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  /** The sender's socket has ended; bytes sent before are still read. */
  | { readonly kind: "end" }

interface Placed {
  readonly item: PipeItem
  /** Offsets of its begin and end in the stream. */
  readonly startOffset: number
  readonly endOffset: number
}

/** Current properties of the line. */
export interface Line {
  /** Latency of one direction, in milliseconds. */
  latencyMs: number
  /** Rate of the line; 0: unlimited. */
  bytesPerMs: number
  /** Bytes in flight or unread before the sender must wait: the kernel buffers of both ends. */
  windowBytes: number
  /**
   * Bytes that the sender's kernel buffers before the line carries them. `bufferedBytes` does not include them, because a
   * process cannot see them. 0: the line takes bytes from the process.
   */
  sendBufferBytes: number
  /** Variation of the latency to either side, in milliseconds. */
  jitterMs: number
  /**
   * Share of lost segments, from 0 to 1. As in TCP the reader loses nothing: a lost segment is retransmitted, and later
   * segments wait for it. As in Linux the first retransmission follows after the round trip and 200 ms (a tail loss probe,
   * RFC 8985), the second after the same time, and each further one after twice the previous time.
   */
  lossShare: number
}

export interface PipeOptions {
  readonly clock: Clock
  readonly line: Line
  /** False while the receiver does not read. */
  readonly isReading: () => boolean
  readonly receive: (item: PipeItem) => void
  /** Called when the sender's buffer has become empty. */
  readonly onDrained: () => void
  /** Called when the stream has reached the byte of its cut. `cut`: the item that was cut in the middle, if any. */
  readonly onCut: (cut: PipeItem | undefined) => void
  /** Random draws for jitter and loss; unused on a line without them. */
  readonly random: () => number
  /** True: bytes are sent at the end of the turn in which they were accepted; false: at once, within the window. */
  readonly corks: boolean
}

/** Length of a WebSocket header; masks and the lengths of control frames are ignored. */
const headerBytes = 4
/** Transmission time of one chunk on a slow line, in milliseconds. */
const chunkMs = 5
const segmentBytes = 1_460
/** Time that Linux adds to the round trip before a retransmission, in milliseconds. */
const retransmitMs = 200
/** Maximum number of losses of one segment. */
const lossesMax = 10
const tidyAfterCount = 64

export class SimulatedPipe {
  readonly line: Line
  readonly #options: PipeOptions
  readonly #items: Placed[] = []
  #firstItem = 0
  #accepted = 0
  /** Offset up to which the sender's kernel has taken the stream. */
  #taken = 0
  #departed = 0
  #arrived = 0
  #read = 0
  #lastArrivalMs = 0
  /** Offset up to which losses were drawn. */
  #sentUpTo = 0
  #cutAt = Number.POSITIVE_INFINITY
  /** True if a message was accepted since the buffer was empty: control items alone cause no `onDrained`. */
  #hasMessages = false
  #isPumping = false
  #isDelivering = false
  #isOpen = true
  #isBlackHole = false
  #isBlocked = false
  #isStalled = false
  /** Offset up to which bytes wait at the blockade. */
  #blockedAt = 0
  /** Called after the last byte, if the sender's socket was reset. */
  #onReset: (() => void) | undefined

  constructor(options: PipeOptions) {
    this.#options = options
    this.line = options.line
  }

  /** Accepted bytes in the sender's process. */
  get bufferedBytes(): number {
    return this.#accepted - this.#taken
  }

  /** Accepted bytes that were not read. */
  get pendingBytes(): number {
    return this.#accepted - this.#read
  }

  push(item: PipeItem): void {
    if (!this.#isOpen) return
    const length = headerBytes + (item.kind === "message" ? item.bytes.length : 0)
    const startOffset = this.#accepted
    this.#accepted += length
    this.#items.push({ item, startOffset, endOffset: this.#accepted })
    if (item.kind === "message") this.#hasMessages = true
    if (this.#options.corks) this.#pumpIn(0)
    else if (!this.#isPumping) this.#pump()
  }

  /** Ends the stream after this many further bytes have arrived, and then calls `onCut`. */
  cutAfter(bytes: number): void {
    this.#cutAt = this.#arrived + bytes
  }

  /** Drops all bytes from now on, also those in flight, without an event. */
  swallow(): void {
    this.#isBlackHole = true
  }

  get isBlackHole(): boolean {
    return this.#isBlackHole
  }

  /** Delays all bytes until `unblock`; none is lost. */
  block(): void {
    this.#isBlocked = true
  }

  unblock(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    if (this.#isOpen) this.#options.clock.schedule(0, () => this.#arrive(this.#blockedAt))
  }

  /** True: bytes stay in the sender's process, so `bufferedBytes` grows; a reset still arrives. False: they are sent. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled
    if (!isStalled) this.#pumpIn(0)
  }

  /** The receiver reads again. */
  wake(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    this.#options.clock.schedule(0, () => {
      this.#isDelivering = false
      this.#deliver()
    })
  }

  /** Drops the bytes that are still in the sender's process. */
  forget(): void {
    this.#cutBackTo(this.#taken)
  }

  /** Resets the stream: drops the kernel's buffer, and calls `onReset` when all sent bytes have arrived, read or not. */
  reset(onReset: () => void): void {
    if (!this.#isOpen || this.#onReset !== undefined) return
    this.#onReset = onReset
    this.#cutBackTo(this.#departed)
    this.#arriveIn(this.#departed)
  }

  #cutBackTo(offset: number): void {
    this.#accepted = offset
    this.#taken = Math.min(this.#taken, offset)
    this.#hasMessages = false
    while ((this.#items.at(-1)?.endOffset ?? 0) > offset) this.#items.pop()
  }

  /** Ends the stream: nothing arrives any more. */
  stop(): void {
    this.#isOpen = false
    this.#items.length = 0
    this.#firstItem = 0
  }

  /** Returns the item of which only a part has arrived. */
  #partialItem(): PipeItem | undefined {
    const arrived = this.#arrived
    return this.#items.find(({ startOffset, endOffset }) => startOffset < arrived && endOffset > arrived)
      ?.item
  }

  #pumpIn(delayMs: number): void {
    if (this.#isPumping) return
    this.#isPumping = true
    this.#options.clock.schedule(delayMs, () => {
      this.#isPumping = false
      if (this.#isOpen) this.#pump()
    })
  }

  #pump(): void {
    const { bytesPerMs, windowBytes } = this.line
    const room = this.#isStalled ? 0 : windowBytes - (this.#departed - this.#read)
    const speed = bytesPerMs === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(bytesPerMs * chunkMs))
    const amount = Math.max(0, Math.min(this.#accepted - this.#departed, room, speed))
    this.#departed += amount
    this.#take()
    if (amount > 0) this.#arriveIn(this.#departed)
    if (amount > 0 && this.#departed < this.#accepted && bytesPerMs > 0) this.#pumpIn(amount / bytesPerMs)
    if (this.bufferedBytes > 0 || !this.#hasMessages) return
    this.#hasMessages = false
    this.#options.onDrained()
  }

  /** Moves bytes to the sender's kernel, up to its buffer's capacity. */
  #take(): void {
    this.#taken = Math.max(this.#taken, Math.min(this.#accepted, this.#departed + this.line.sendBufferBytes))
  }

  #arriveIn(offset: number): void {
    const { clock } = this.#options
    // A stream keeps its order when the latency decreases.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.now() + this.#travelMs(offset))
    clock.schedule(this.#lastArrivalMs - clock.now(), () => this.#arrive(offset))
  }

  /** Returns the latency of the bytes up to `offset`: the latency of the segment with the most losses. */
  #travelMs(offset: number): number {
    const { latencyMs, jitterMs, lossShare } = this.line
    const { random } = this.#options
    let travelMs = latencyMs
    if (jitterMs > 0) travelMs += (2 * random() - 1) * jitterMs
    if (lossShare > 0) {
      let losses = 0
      for (let left = offset - this.#sentUpTo; left > 0; left -= segmentBytes) {
        let lost = 0
        while (lost < lossesMax && random() < lossShare) lost += 1
        losses = Math.max(losses, lost)
      }
      if (losses > 0) travelMs += (retransmitMs + 2 * latencyMs) * 2 ** (losses - 1)
    }
    this.#sentUpTo = offset
    return Math.max(0, travelMs)
  }

  #arrive(offset: number): void {
    if (!this.#isOpen || this.#isBlackHole) return
    if (this.#isBlocked) {
      this.#blockedAt = Math.max(this.#blockedAt, offset)
      return
    }
    this.#arrived = Math.min(Math.max(offset, this.#arrived), this.#cutAt)
    this.#deliver()
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- a delivered item may have stopped the stream
    if (!this.#isOpen) return
    if (this.#arrived >= this.#cutAt) this.#options.onCut(this.#partialItem())
    else if (this.#onReset !== undefined && this.#arrived >= this.#departed) this.#onReset()
  }

  /** Delivers everything that has arrived in one batch, as a real socket does. A pause in between does not stop the batch. */
  #deliver(): void {
    const { isReading, receive } = this.#options
    if (!isReading()) return
    const upTo = this.#arrived
    for (let next = this.#items[this.#firstItem]; next !== undefined; next = this.#items[this.#firstItem]) {
      if (next.endOffset > upTo) break
      this.#firstItem += 1
      receive(next.item)
    }
    // The first part of an incomplete message counts as read: the receiver buffers it.
    this.#read = upTo
    if (this.#firstItem > tidyAfterCount) {
      this.#items.splice(0, this.#firstItem)
      this.#firstItem = 0
    }
    if (this.#departed < this.#accepted) this.#pumpIn(0)
  }
}
