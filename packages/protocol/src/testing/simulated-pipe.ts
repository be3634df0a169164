// One direction of a simulated socket, as bytes in a stream: what was accepted waits, leaves as fast as the line takes
// it, travels, arrives, is read. A message is delivered when its last byte is read, and never in part.
// Knows no sockets; what is in a message it knows only by its length.
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
  /** The sender's socket is gone; what it sent before is still read. */
  | { readonly kind: "end" }

interface Placed {
  readonly item: PipeItem
  /** Where it begins and ends in the stream. */
  readonly startOffset: number
  readonly endOffset: number
}

/** The line as it is at this moment. */
export interface Line {
  latencyMs: number
  /** 0: as fast as asked. */
  bytesPerMs: number
  /** Bytes that may be under way or unread before the sender has to wait: kernel buffers of both ends. */
  windowBytes: number
  /**
   * Bytes that the sender's kernel takes before the line carries them. They count in no `bufferedBytes`: a process cannot
   * see them. 0: the line takes bytes from the process itself.
   */
  sendBufferBytes: number
  /** Spread of the latency, in milliseconds, to either side of it. */
  jitterMs: number
  /**
   * Share of lost segments, from 0 to 1. As in TCP nothing is lost to the reader: a lost segment is sent again, and what
   * was sent after it waits behind it. As in Linux a repetition follows after the round trip and 200 ms (a tail loss
   * probe, RFC 8985), after as much again, and then after twice the time before.
   */
  lossShare: number
}

export interface PipeOptions {
  readonly clock: Clock
  readonly line: Line
  /** False while the receiver does not read. */
  readonly isReading: () => boolean
  readonly receive: (item: PipeItem) => void
  /** The sender's buffer ran empty after it had held something. */
  readonly onDrained: () => void
  /** The stream has reached the byte at which it was to be cut: in the middle of this, if of anything. */
  readonly onCut: (cut: PipeItem | undefined) => void
  /** Draws of jitter and loss; unused on a line that has neither. */
  readonly random: () => number
  /** True: bytes leave at the end of the turn in which they were accepted; false: at once, where there is room. */
  readonly corks: boolean
}

/** Header of a WebSocket message of this length; masks and the length of control frames are left out. */
const headerBytes = 4
/** A slow line sends what it takes in this time at once. */
const chunkMs = 5
const segmentBytes = 1_460
/** What Linux adds to the round trip at least, and how often one segment is lost at most. */
const retransmitMs = 200
const lossesMax = 10
const tidyAfterCount = 64

export class SimulatedPipe {
  readonly line: Line
  readonly #options: PipeOptions
  readonly #items: Placed[] = []
  #firstItem = 0
  #accepted = 0
  /** What the sender's kernel has of it. */
  #taken = 0
  #departed = 0
  #arrived = 0
  #read = 0
  #lastArrivalMs = 0
  /** Bytes whose way is decided. */
  #sentUpTo = 0
  #cutAt = Number.POSITIVE_INFINITY
  /** Since the buffer was empty: nobody asks about what the transport itself had to say. */
  #hasMessages = false
  #isPumping = false
  #isDelivering = false
  #isOpen = true
  #isBlackHole = false
  #isBlocked = false
  #isStalled = false
  /** What has come to the place of the blockade. */
  #blockedAt = 0
  /** What comes after the last byte, if the sender's socket was reset. */
  #onReset: (() => void) | undefined

  constructor(options: PipeOptions) {
    this.#options = options
    this.line = options.line
  }

  /** Bytes accepted that have not left the sender's process. */
  get bufferedBytes(): number {
    return this.#accepted - this.#taken
  }

  /** Bytes that have left or wait to leave, and were not read. */
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

  /** After this many more bytes have arrived, nothing more does, and `onCut` is told. */
  cutAfter(bytes: number): void {
    this.#cutAt = this.#arrived + bytes
  }

  /** From now on bytes vanish, those under way included; nobody is told. */
  swallow(): void {
    this.#isBlackHole = true
  }

  get isBlackHole(): boolean {
    return this.#isBlackHole
  }

  /** Bytes come no further until `unblock`; none is lost. */
  block(): void {
    this.#isBlocked = true
  }

  unblock(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    if (this.#isOpen) this.#options.clock.schedule(0, () => this.#arrive(this.#blockedAt))
  }

  /** True: no more bytes leave the sender's process, so `bufferedBytes` grows; a reset still arrives. False: they leave. */
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

  /** The sender's socket is gone: what has not left its process never will. */
  forget(): void {
    this.#cutBackTo(this.#taken)
  }

  /** `onReset` is called when all that has left has arrived, read or not. A reset empties the kernel's buffer. */
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

  /** The stream is over: nothing of it arrives any more. */
  stop(): void {
    this.#isOpen = false
    this.#items.length = 0
    this.#firstItem = 0
  }

  /** What has arrived in part. */
  #partly(): PipeItem | undefined {
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

  /** The sender's kernel takes what it has room for. */
  #take(): void {
    this.#taken = Math.max(this.#taken, Math.min(this.#accepted, this.#departed + this.line.sendBufferBytes))
  }

  #arriveIn(offset: number): void {
    const { clock } = this.#options
    // A stream keeps its order whatever becomes of the latency.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.now() + this.#travelMs(offset))
    clock.schedule(this.#lastArrivalMs - clock.now(), () => this.#arrive(offset))
  }

  /** Latency of what leaves now, up to `offset`: that of the segment which is lost most often. */
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
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- what was delivered may have stopped the stream
    if (!this.#isOpen) return
    if (this.#arrived >= this.#cutAt) this.#options.onCut(this.#partly())
    else if (this.#onReset !== undefined && this.#arrived >= this.#departed) this.#onReset()
  }

  /** All that had arrived by now in one go, as a real socket reads: who pauses in the middle still gets the rest. */
  #deliver(): void {
    const { isReading, receive } = this.#options
    if (!isReading()) return
    const upTo = this.#arrived
    for (let next = this.#items[this.#firstItem]; next !== undefined; next = this.#items[this.#firstItem]) {
      if (next.endOffset > upTo) break
      this.#firstItem += 1
      receive(next.item)
    }
    // The first part of a message has been read, too: it waits at the receiver.
    this.#read = upTo
    if (this.#firstItem > tidyAfterCount) {
      this.#items.splice(0, this.#firstItem)
      this.#firstItem = 0
    }
    if (this.#departed < this.#accepted) this.#pumpIn(0)
  }
}
