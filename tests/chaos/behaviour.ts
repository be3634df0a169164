// Effects of a chaos proxy on the bytes of one connection: pure data, and its random choice from a seed. Must not know
// sockets.

/** Directions as the proxy sees them: bytes of the client go `toServer`. */
export type Direction = "toServer" | "toClient"

export const directions: readonly Direction[] = ["toServer", "toClient"]

/**
 * End of a direction after exactly this number of bytes. `rst`: both ends get a reset. `fin`: the receiver gets an end
 * of stream, the other direction continues. `blackHole`: the sender's bytes are still read, and dropped without a
 * notice. `hold`: reading stops, so the sender's buffers fill, without a notice.
 */
export const stops = ["rst", "fin", "blackHole", "hold"] as const
export type Stop = (typeof stops)[number]

/** One direction. Without any member bytes pass unchanged and at once. */
export interface LaneBehaviour {
  /** Delay of each chunk in milliseconds, plus or minus up to `jitterMs`. Order is kept. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  /** Forwarded in portions of a twentieth of a second. */
  readonly bytesPerSecond?: number
  /** Size limit of one write; 1 writes byte by byte, each in a separate turn of the event loop. */
  readonly writeBytes?: number
  /** All chunks that become due within a window of this number of milliseconds leave as one write at its end. */
  readonly coalesceMs?: number
  /**
   * Reading pauses while this number of bytes is buffered here. Default 1 MiB; 1 passes a slow receiver's backpressure
   * to the sender.
   */
  readonly readAheadBytes?: number
  readonly stop?: { readonly afterBytes: number; readonly how: Stop }
}

/** Both directions of one connection. */
export type ConnectionBehaviour = Readonly<Partial<Record<Direction, LaneBehaviour>>>

/** Decides about each connection when it arrives: its number counts from 0, and its draws depend on the number only. */
export type Plan = (index: number, random: () => number) => ConnectionBehaviour

/** The first connection gets the first behaviour and so on; connections after the last behaviour pass unchanged. */
export function scripted(script: readonly ConnectionBehaviour[]): Plan {
  return (index) => script[index] ?? {}
}

/** A direction that reads so slowly that the sender gets backpressure. */
export function slowDrain(bytesPerSecond: number): LaneBehaviour {
  return { bytesPerSecond, readAheadBytes: 1 }
}

export interface RandomPlanOptions {
  /** Most milliseconds of latency; small latencies are likelier. Default 2,000. */
  readonly maxLatencyMs?: number
  /** Most bytes before a stop; small numbers are likelier. Default 64 KiB. */
  readonly maxStopBytes?: number
  /** Which ends of a direction may be drawn. Default: all; empty: connections are never stopped. */
  readonly stops?: readonly Stop[]
}

/** Every fault sometimes, in any mixture: about half of all connections pass without an end. */
export function randomPlan(options: RandomPlanOptions = {}): Plan {
  return (_, random) => ({ toServer: randomLane(random, options), toClient: randomLane(random, options) })
}

/** Always makes the same number of draws, so that one fault more or less does not change the others. */
function randomLane(random: () => number, options: RandomPlanOptions): LaneBehaviour {
  const { maxLatencyMs = 2_000, maxStopBytes = 65_536, stops: allowed = stops } = options
  const draws = Array.from({ length: 10 }, random)
  const draw = (index: number): number => draws[index] ?? 0
  const isChosen = (index: number, share: number): boolean => draw(index) < share
  const latencyMs = upTo(maxLatencyMs, draw(1))
  const how = allowed[Math.floor(draw(2) * allowed.length)]
  return {
    ...(isChosen(0, 0.5) ? { latencyMs, jitterMs: latencyMs / 2 } : {}),
    ...(isChosen(3, 0.3) ? { bytesPerSecond: 1_024 + upTo(1_048_576, draw(4)) } : {}),
    ...(isChosen(5, 0.1) ? { writeBytes: 1 } : {}),
    ...(isChosen(6, 0.2) ? { coalesceMs: 40 } : {}),
    ...(isChosen(7, 0.1) ? { readAheadBytes: 1 } : {}),
    ...(how !== undefined && isChosen(8, 0.3)
      ? { stop: { afterBytes: upTo(maxStopBytes, draw(9)), how } }
      : {}),
  }
}

/** A whole number from 0 to `most`; each order of magnitude is equally likely. */
function upTo(most: number, draw: number): number {
  return Math.floor((most + 2) ** draw) - 1
}
