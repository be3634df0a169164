// One direction of a proxied connection: reads bytes from one socket and writes them to the other, late, slowly, in
// pieces or not at all. Bytes never change and never overtake each other. Must not know the other direction.
import type { Clock } from "@hawser/protocol"
import type { Socket } from "node:net"
import type { LaneBehaviour } from "./behaviour.ts"

const defaultReadAheadBytes = 1_048_576
const portionsPerSecond = 20
/**
 * A receiver that finds bytes and RST at once reports an ordinary end (libuv); so it gets time to read the bytes first.
 */
const resetDelayMs = 2

export interface LaneOptions {
  readonly from: Socket
  readonly to: Socket
  readonly behaviour: LaneBehaviour
  readonly clock: Clock
  readonly random: () => number
  /** Resets both sockets: this direction has reached a stop of that kind. */
  readonly cut: () => void
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly dueMs: number
}

/** `finished` has sent FIN; like a black hole it still reads bytes, so that the sender gets no backpressure. */
export type Flow = "open" | "hold" | "blackHole" | "finished"

export class Lane {
  readonly #options: LaneOptions
  readonly #waiting: Waiting[] = []
  #behaviour: LaneBehaviour
  #flow: Flow = "open"
  #receivedBytes = 0
  #waitingBytes = 0
  #forwardedBytes = 0
  #freeAtMs = 0
  #isWriting = false
  #hasEnded = false
  #cancelTimer: (() => void) | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.#behaviour = options.behaviour
    options.from.on("data", (bytes: Buffer) => this.#take(bytes))
    options.from.on("end", () => {
      this.#hasEnded = true
      this.#pump()
    })
  }

  get flow(): Flow {
    return this.#flow
  }

  /** Bytes that the sender has sent, whatever their outcome. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Bytes that the kernel has accepted for the receiver. */
  get forwardedBytes(): number {
    return this.#forwardedBytes
  }

  /** Bytes that were read and are still buffered here. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Sets another behaviour; a stop counts from the connection's first byte. Buffered bytes keep their due time. */
  change(behaviour: LaneBehaviour): void {
    this.#behaviour = behaviour
    this.start()
  }

  /** Starts, or restarts after `hold` or `blackHole`. Bytes that a black hole dropped stay lost. */
  open(): void {
    if (this.#flow === "finished") return
    this.#flow = "open"
    this.start()
  }

  hold(): void {
    if (this.#flow === "open") this.#flow = "hold"
    this.#regulate()
  }

  blackHole(): void {
    if (this.#flow === "finished") return
    this.#flow = "blackHole"
    this.#forget()
  }

  /** Sends FIN to the receiver, before bytes that are still buffered. */
  finish(): void {
    if (this.#flow === "finished") return
    this.#flow = "finished"
    this.#forget()
    if (!this.#options.to.destroyed) this.#options.to.end()
  }

  /** Performs all due work; a stop after 0 bytes is due at once. */
  start(): void {
    if (!this.#stopWhenReached()) this.#pump()
    this.#regulate()
  }

  dispose(): void {
    this.#forget()
    this.#flow = "finished"
  }

  #forget(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#regulate()
  }

  #take(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length
    if (this.#flow === "blackHole" || this.#flow === "finished") return
    this.#waiting.push({ bytes, dueMs: this.#dueMs() })
    this.#waitingBytes += bytes.length
    this.#pump()
    this.#regulate()
  }

  /** Chunks leave in order, so one that is due before its predecessor leaves right after it. */
  #dueMs(): number {
    const { latencyMs = 0, jitterMs = 0, coalesceMs = 0 } = this.#behaviour
    const delayMs = Math.max(0, latencyMs + jitterMs * (2 * this.#options.random() - 1))
    const dueMs = this.#options.clock.now() + delayMs
    return coalesceMs > 0 ? Math.ceil(dueMs / coalesceMs) * coalesceMs : dueMs
  }

  /** Reads from the sender only below the buffer's bound. */
  #regulate(): void {
    const isFull = this.#waitingBytes >= (this.#behaviour.readAheadBytes ?? defaultReadAheadBytes)
    const isHeld = this.#flow === "hold" || (this.#flow === "open" && isFull)
    const { from } = this.#options
    if (isHeld !== from.isPaused()) from[isHeld ? "pause" : "resume"]()
  }

  #stopWhenReached(): boolean {
    const { stop } = this.#behaviour
    if (stop === undefined || this.#flow !== "open" || this.#forwardedBytes < stop.afterBytes) return false
    switch (stop.how) {
      case "rst":
        this.hold()
        // One more turn of the event loop, for a receiver in this process.
        this.#wake(resetDelayMs, () => setImmediate(this.#options.cut))
        break
      case "fin":
        this.finish()
        break
      case "blackHole":
        this.blackHole()
        break
      case "hold":
        this.hold()
        break
    }
    return true
  }

  #pump(): void {
    if (this.#isWriting || this.#flow !== "open") return
    const [next] = this.#waiting
    if (next === undefined) {
      if (this.#hasEnded) this.finish()
      return
    }
    const nowMs = this.#options.clock.now()
    const readyMs = Math.max(next.dueMs, this.#freeAtMs)
    if (readyMs > nowMs) this.#wake(readyMs - nowMs, () => this.#pump())
    else this.#write(this.#portion(nowMs), nowMs)
  }

  #wake(delayMs: number, action: () => void): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#options.clock.schedule(delayMs, () => {
      this.#cancelTimer = undefined
      action()
    })
  }

  /** Bytes of the next write: the first chunk; with coalescing all due chunks, as far as the bounds allow. */
  #portion(nowMs: number): Uint8Array {
    const { writeBytes = Infinity, bytesPerSecond = Infinity, coalesceMs = 0, stop } = this.#behaviour
    const perPortion = Math.max(1, Math.floor(bytesPerSecond / portionsPerSecond))
    const untilStop = (stop?.afterBytes ?? Infinity) - this.#forwardedBytes
    const mostBytes = Math.min(writeBytes, perPortion, untilStop)
    const parts: Uint8Array[] = []
    let length = 0
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (length === mostBytes || next.dueMs > nowMs || (parts.length > 0 && coalesceMs === 0)) break
      const part = next.bytes.subarray(0, mostBytes - length)
      if (part.length === next.bytes.length) this.#waiting.shift()
      else this.#waiting[0] = { ...next, bytes: next.bytes.subarray(part.length) }
      parts.push(part)
      length += part.length
    }
    this.#waitingBytes -= length
    return Buffer.concat(parts)
  }

  #write(bytes: Uint8Array, nowMs: number): void {
    const { bytesPerSecond = Infinity, writeBytes } = this.#behaviour
    if (this.#options.to.destroyed) return
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + (bytes.length / bytesPerSecond) * 1_000
    this.#isWriting = true
    this.#options.to.write(bytes, (error) => {
      this.#isWriting = false
      // `close` follows, and with it the end of this direction.
      if (error) return
      this.#forwardedBytes += bytes.length
      // The receiver gets a turn between small writes; otherwise it would read them joined.
      if (writeBytes === undefined) this.start()
      else setImmediate(() => this.start())
    })
  }
}
