// Decides whether more state may be sent on one connection. State is every frame of the volatile class; the client
// acknowledges it by a count. The socket's buffer is not a measure: the kernel buffers megabytes for a link that carries
// kilobytes per second. Acknowledgements show the rate of the link, and about one second of it may be in flight.
// Must not know sockets, frames or timers; its caller passes the time.
//
// Invariants:
//  1. State may be sent when none is in flight. A low estimate never stops the updates of a viewer.
//  2. Bytes are in flight until a count covers the last frame that was sent with them.
//  3. Only frames that were queued by the link lower its rate. A link that was not filled does not count as slow.

/** Bounds of state in flight on one connection. */
export interface StateWindowLimits {
  /**
   * State in flight to a client in excess of the round trip, as transmission time of its link, in milliseconds; default 750.
   * At the bound replica updates and keyed volatile values are conflated, volatile events without a key are dropped.
   */
  readonly stateWindowMs: number
  /**
   * State in flight while the rate of the link is unknown or the link has not been slow, in bytes; default 16 KiB. It allows
   * bursts of volatile events and the first frames of replicas. At the bound: as above.
   */
  readonly stateStartBytes: number
}

/** Frames sent within this time form one batch, in milliseconds. */
const markMs = 10
/** Numbers of a mark: its last frame, the bytes up to its end, its time, the bytes acknowledged at that time, and their time. */
const markSize = 5
const leastMarks = 8
/** Marks of one window. At the bound a frame joins the last mark and is acknowledged with it. */
const mostMarks = 128
/** Validity of the highest measured rate, in milliseconds, while frames are queued by the link. Then it is measured again. */
const rateForMs = 20_000
/** Time for which a slow link counts as slow, in milliseconds: bursts stay small. */
const slowForMs = 30_000
/** Growth of the bytes in flight. They limit the measurable rate, so a link with a long round trip needs room to grow. */
const growth = 1.5
const noSample: Trip = { ms: Number.POSITIVE_INFINITY, bytes: 0 }
/** Validity of the least measured round trip, in milliseconds. Then it may rise to the least one of an empty link. */
const roundTripForMs = 30_000

/** State that was sent to a client and is not acknowledged. */
export interface StateUnderWay {
  /** Bytes of this state. */
  readonly bytes: number
  /** Time at which the oldest of it was sent, in milliseconds; undefined while none is in flight. */
  readonly sinceMs: number | undefined
}

/** Window of state in flight on one connection. */
export class StateWindow implements StateUnderWay {
  readonly #limits: StateWindowLimits
  /** A ring of marks, the oldest at `#first`. */
  #marks = new Float64Array(leastMarks * markSize)
  #first = 0
  #count = 0
  #sentFrames = 0
  #sentBytes = 0
  #acknowledgedFrames = 0
  #arrivedBytes = 0
  #arrivedAtMs = 0
  /** Rate of the link, the highest since `#rateSinceMs`; 0 until the first acknowledgement. */
  #bytesPerMs = 0
  #nextBytesPerMs = 0
  #rateSinceMs = 0
  /** Least round trip, including the transmission time of its bytes. */
  #roundTripMs = Number.POSITIVE_INFINITY
  /** Least round trip on an empty link, with its bytes. `#nextAlone`: the same since `#aloneSinceMs`. */
  #alone = noSample
  #nextAlone = noSample
  #aloneSinceMs = 0
  #slowUntilMs = 0
  /** Bytes that events and values may send before the next turn of replica updates, while both are queued. */
  #turnBytes = 0

  constructor(limits: StateWindowLimits) {
    this.#limits = limits
  }

  /** Number of frames that the client has acknowledged. */
  get acknowledgedFrames(): number {
    return this.#acknowledgedFrames
  }

  /** Bytes of state in flight. */
  get bytes(): number {
    return this.#sentBytes - this.#arrivedBytes
  }

  /** Time at which the oldest of these was sent; undefined while none is in flight. */
  get sinceMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#marks[this.#first * markSize + 2]
  }

  /**
   * Returns true if a replica update of about `bytes` may be sent. `isFirst`: it is the first one of the connection.
   * `othersWait`: keyed values are queued, too; the two then alternate.
   */
  // oxlint-disable-next-line eslint/max-params -- called for each viewer in each tick
  takesView(bytes: number, isFirst: boolean, othersWait: boolean, nowMs: number): boolean {
    if (!othersWait) this.#turnBytes = 0
    if (isFirst && this.#takesBurst(bytes, nowMs)) return true
    return !(othersWait && this.#turnBytes > 0) && this.#takes(bytes, nowMs)
  }

  /** Returns true if a volatile event or value of `bytes` may be sent. `viewsWait`: a replica update is queued, too. */
  takesEvent(bytes: number, viewsWait: boolean, nowMs: number): boolean {
    if (this.#takesBurst(bytes, nowMs)) return true
    return !(viewsWait && this.#turnBytes === 0) && this.#takes(bytes, nowMs)
  }

  /** Allows a burst on a link whose rate is unknown, or that has not been slow. */
  #takesBurst(bytes: number, nowMs: number): boolean {
    if (nowMs < this.#slowUntilMs || this.#isOlderThan(this.#limits.stateWindowMs, nowMs)) return false
    return this.bytes + bytes <= this.#limits.stateStartBytes
  }

  /**
   * Bounds the bytes in flight by the rate of the link. With this update and another of the same length they are at most the
   * bytes that the link carries in the round trip, half the empty round trip and twice `stateWindowMs`: the age of a viewer's
   * state before the next update. On a slow link the bytes in flight are also at most one update, or the bytes of the empty
   * round trip and one `stateWindowMs`, because requests and replies queue behind them. On a link with a long round trip they
   * may grow by half.
   */
  #takes(bytes: number, nowMs: number): boolean {
    if (this.#count === 0) return true
    const { stateWindowMs } = this.#limits
    if (this.#isOlderThan(2 * stateWindowMs, nowMs)) return false
    const rate = this.#bytesPerMs
    const emptyTripMs = this.#emptyTripMs
    const leastTripMs = this.#leastTripMs
    const slowMs = Math.max(emptyTripMs + stateWindowMs, leastTripMs * growth)
    if (nowMs < this.#slowUntilMs && this.bytes > Math.max(bytes, rate * slowMs)) return false
    if (leastTripMs > 2 * stateWindowMs && this.bytes <= rate * leastTripMs * growth) return true
    return this.bytes + 2 * bytes <= rate * (leastTripMs + emptyTripMs / 2 + 2 * stateWindowMs)
  }

  /** Returns true if the oldest frame in flight was sent more than the round trip and `ms` ago. */
  #isOlderThan(ms: number, nowMs: number): boolean {
    const { sinceMs } = this
    return sinceMs !== undefined && nowMs - sinceMs > this.#leastTripMs + ms
  }

  /** The least round trip; 0 until one was measured. */
  get #leastTripMs(): number {
    return this.#bytesPerMs === 0 ? 0 : this.#roundTripMs
  }

  /** The least round trip without the transmission time of its bytes. */
  get #emptyTripMs(): number {
    if (this.#bytesPerMs === 0) return 0
    return Math.min(this.#roundTripMs, Math.max(0, this.#alone.ms - this.#alone.bytes / this.#bytesPerMs))
  }

  /** Records that a frame of this length was sent. */
  sent(bytes: number, isView: boolean, nowMs: number): void {
    this.#turnBytes = Math.max(0, this.#turnBytes + (isView ? bytes : -bytes))
    // Idle time must not lower the measured rate.
    if (this.#count === 0) this.#arrivedAtMs = nowMs
    this.#sentFrames += 1
    this.#sentBytes += bytes
    const last = ((this.#first + this.#count - 1) % this.#capacity) * markSize
    const marks = this.#marks
    if (this.#count > 0 && (nowMs - (marks[last + 2] ?? 0) < markMs || this.#count === mostMarks)) {
      marks[last] = this.#sentFrames
      marks[last + 1] = this.#sentBytes
      return
    }
    if (this.#count === this.#capacity) this.#grow()
    const at = ((this.#first + this.#count) % this.#capacity) * markSize
    this.#count += 1
    this.#marks[at] = this.#sentFrames
    this.#marks[at + 1] = this.#sentBytes
    this.#marks[at + 2] = nowMs
    this.#marks[at + 3] = this.#arrivedBytes
    this.#marks[at + 4] = this.#arrivedAtMs
  }

  /** Processes an acknowledgement of `frames` frames. Returns false for a count above the sent ones. */
  acknowledge(frames: number, nowMs: number): boolean {
    if (frames > this.#sentFrames) return false
    this.#acknowledgedFrames = frames
    const marks = this.#marks
    let newest = -1
    let aloneBytes = 0
    while (this.#count > 0) {
      const at = this.#first * markSize
      if ((marks[at] ?? 0) > frames) break
      newest = at
      const endBytes = marks[at + 1] ?? 0
      aloneBytes = marks[at + 3] === this.#arrivedBytes ? endBytes - this.#arrivedBytes : 0
      this.#arrivedBytes = endBytes
      this.#first = (this.#first + 1) % this.#capacity
      this.#count -= 1
    }
    if (newest === -1) return true
    this.#arrivedAtMs = nowMs
    const arrived = this.#arrivedBytes - (marks[newest + 3] ?? 0)
    this.#measure({
      roundTripMs: nowMs - (marks[newest + 2] ?? 0),
      aloneBytes,
      bytesPerMs: arrived / Math.max(1, nowMs - (marks[newest + 4] ?? 0)),
      nowMs,
    })
    return true
  }

  #measure({ roundTripMs, aloneBytes, bytesPerMs, nowMs }: Sample): void {
    const { stateWindowMs } = this.#limits
    this.#measureRoundTrip(roundTripMs, aloneBytes, nowMs)
    const isLate = roundTripMs > this.#roundTripMs + 2 * stateWindowMs
    const waitedMs = roundTripMs - this.#emptyTripMs
    const isOver = waitedMs > stateWindowMs / 2 && nowMs - this.#rateSinceMs >= rateForMs
    this.#nextBytesPerMs = isLate ? bytesPerMs : Math.max(this.#nextBytesPerMs, bytesPerMs)
    if (isLate || isOver || bytesPerMs > this.#bytesPerMs) this.#bytesPerMs = this.#nextBytesPerMs
    if (isOver) this.#nextBytesPerMs = bytesPerMs
    if (isLate || isOver) this.#rateSinceMs = nowMs
    if (waitedMs > stateWindowMs) this.#slowUntilMs = nowMs + slowForMs
  }

  /** Measures the round trip. Only a frame on an empty link shows a longer one, because other frames queue behind state. */
  #measureRoundTrip(roundTripMs: number, aloneBytes: number, nowMs: number): void {
    if (aloneBytes > 0) this.#nextAlone = better({ ms: roundTripMs, bytes: aloneBytes }, this.#nextAlone)
    if (nowMs - this.#aloneSinceMs >= roundTripForMs && this.#nextAlone !== noSample) {
      this.#alone = this.#nextAlone
      this.#roundTripMs = this.#nextAlone.ms
      this.#nextAlone = noSample
      this.#aloneSinceMs = nowMs
    }
    this.#alone = better(this.#nextAlone, this.#alone)
    this.#roundTripMs = Math.min(this.#roundTripMs, roundTripMs)
  }

  get #capacity(): number {
    return this.#marks.length / markSize
  }

  #grow(): void {
    const larger = new Float64Array(this.#marks.length * 2)
    const from = this.#first * markSize
    larger.set(this.#marks.subarray(from))
    larger.set(this.#marks.subarray(0, from), this.#marks.length - from)
    this.#marks = larger
    this.#first = 0
  }
}

interface Sample {
  readonly roundTripMs: number
  /** Bytes of the batch, if nothing else was in flight when it was sent; otherwise 0. */
  readonly aloneBytes: number
  readonly bytesPerMs: number
  readonly nowMs: number
}

interface Trip {
  readonly ms: number
  readonly bytes: number
}

/** Returns the shorter trip; if the first has fewer bytes and is at most 10 % longer, returns that one. */
function better(trip: Trip, known: Trip): Trip {
  return trip.ms < known.ms || (trip.bytes < known.bytes && trip.ms < known.ms * 1.1) ? trip : known
}
