// Decides whether more state may be sent on one connection. State is every frame of the volatile class; the client
// acknowledges it by a count. The socket's own buffer is no measure: the kernel takes megabytes for a link that carries
// kilobytes. Acknowledgements show the rate of the link, and about one second of it may be under way.
// Must not know sockets, frames or timers; its caller passes the time.
//
// Invariants:
//  1. State may be sent when none is under way: no estimate is so low that a viewer is shown nothing more.
//  2. Bytes are under way until a count covers the last frame that was sent with them.
//  3. Only frames that had to wait for the link lower its rate: a link that was not filled is not taken for a slow one.

export interface StateWindowLimits {
  /**
   * State under way to a client beyond the round trip, as time of its link, in milliseconds; default 750. Beyond: replicas and
   * keyed volatile values are conflated, volatile events without a key are dropped.
   */
  readonly stateWindowMs: number
  /**
   * State in bytes that may be under way while the link has not been slow: bursts of volatile events, and the first frames
   * of replicas, on a link of unknown rate; default 16 KiB. Beyond: as above.
   */
  readonly stateStartBytes: number
}

/** Frames sent within this time count as sent together. */
const markMs = 10
/** A mark is five numbers: its last frame, the bytes up to its end, when it was sent, the bytes that had arrived then, and when. */
const markSize = 5
const leastMarks = 8
/** Marks of one window. Beyond: what is sent joins the last one, and is acknowledged with its end. */
const mostMarks = 128
/** The rate is the highest that was seen. Where frames wait for the link it is measured anew after this time. */
const rateForMs = 20_000
/** A link that was slow counts as slow for this long: bursts stay small. */
const slowForMs = 30_000
/** The rate is known from what was under way: more than that must be allowed, or a link with a long way stays slow. */
const growth = 1.5
const noSample: Trip = { ms: Number.POSITIVE_INFINITY, bytes: 0 }
/** The round trip is the least one seen. It may rise once in this time, to the least that was measured on an empty link. */
const roundTripForMs = 30_000

/** State that was sent to a client and is not acknowledged. */
export interface StateUnderWay {
  readonly bytes: number
  /** Time at which the oldest of it was sent; undefined while nothing is under way. */
  readonly sinceMs: number | undefined
}

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
  /** Rate of the link; 0 until an acknowledgement has shown one. The highest since `#rateSinceMs`. */
  #bytesPerMs = 0
  #nextBytesPerMs = 0
  #rateSinceMs = 0
  /** Least round trip, the time that the bytes themselves took included. */
  #roundTripMs = Number.POSITIVE_INFINITY
  /** Least round trip on an empty link, and the bytes that made it. The same since `#aloneSinceMs`. */
  #alone = noSample
  #nextAlone = noSample
  #aloneSinceMs = 0
  #slowUntilMs = 0
  /** Where views and others wait, the others may send so many bytes before it is the views' turn again. */
  #turnBytes = 0

  constructor(limits: StateWindowLimits) {
    this.#limits = limits
  }

  /** Frames that the client has acknowledged. */
  get acknowledgedFrames(): number {
    return this.#acknowledgedFrames
  }

  /** Bytes of state that were sent and are not acknowledged. */
  get bytes(): number {
    return this.#sentBytes - this.#arrivedBytes
  }

  /** Time at which the oldest of these was sent; undefined while nothing is under way. */
  get sinceMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#marks[this.#first * markSize + 2]
  }

  /**
   * True if an update of views of about `bytes` may be sent. `isFirst`: the connection was sent none yet. `othersWait`:
   * keyed values wait, too; then the two take turns.
   */
  // oxlint-disable-next-line eslint/max-params -- called for each viewer in each tick
  takesView(bytes: number, isFirst: boolean, othersWait: boolean, nowMs: number): boolean {
    if (!othersWait) this.#turnBytes = 0
    if (isFirst && this.#takesBurst(bytes, nowMs)) return true
    return !(othersWait && this.#turnBytes > 0) && this.#takes(bytes, nowMs)
  }

  /** True if a volatile event or value of `bytes` may be sent. `viewsWait`: an update of views waits, too. */
  takesEvent(bytes: number, viewsWait: boolean, nowMs: number): boolean {
    if (this.#takesBurst(bytes, nowMs)) return true
    return !(viewsWait && this.#turnBytes === 0) && this.#takes(bytes, nowMs)
  }

  /** A burst goes into a link that is unknown, or has not been slow. */
  #takesBurst(bytes: number, nowMs: number): boolean {
    if (nowMs < this.#slowUntilMs || this.#isOlderThan(this.#limits.stateWindowMs, nowMs)) return false
    return this.bytes + bytes <= this.#limits.stateStartBytes
  }

  /**
   * Under way, with these bytes and an update of the same length behind them, is at most what the link carries in a round trip, a
   * quarter of it and twice `stateWindowMs`: so old is what a viewer sees before the next update. On a slow link it is also,
   * without them, at most what that carries in a round trip and once `stateWindowMs`, or one such update: requests and replies
   * wait behind it. Where the way is long, half as much again as was under way before is allowed.
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

  /** True if the oldest frame under way was sent a round trip and `ms` ago. */
  #isOlderThan(ms: number, nowMs: number): boolean {
    const { sinceMs } = this
    return sinceMs !== undefined && nowMs - sinceMs > this.#leastTripMs + ms
  }

  /** The least round trip; 0 until one was measured. */
  get #leastTripMs(): number {
    return this.#bytesPerMs === 0 ? 0 : this.#roundTripMs
  }

  /** The same without the time that the link takes for the bytes. */
  get #emptyTripMs(): number {
    if (this.#bytesPerMs === 0) return 0
    return Math.min(this.#roundTripMs, Math.max(0, this.#alone.ms - this.#alone.bytes / this.#bytesPerMs))
  }

  /** A frame of this length was given to the connection. */
  sent(bytes: number, isView: boolean, nowMs: number): void {
    this.#turnBytes = Math.max(0, this.#turnBytes + (isView ? bytes : -bytes))
    // An idle link does not count as a slow one.
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

  /** The client has received `frames` of those that were sent. Returns false if it claims more than that. */
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

  /** Behind other state a frame takes as long as that does: only an empty link shows that the way has become longer. */
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
  /** Bytes that were sent together, if nothing else was under way then; otherwise 0. */
  readonly aloneBytes: number
  readonly bytesPerMs: number
  readonly nowMs: number
}

interface Trip {
  readonly ms: number
  readonly bytes: number
}

/** A quick trip tells more of the way than a slow one; of two that are about as quick, the one of fewer bytes. */
function better(trip: Trip, known: Trip): Trip {
  return trip.ms < known.ms || (trip.bytes < known.bytes && trip.ms < known.ms * 1.1) ? trip : known
}
