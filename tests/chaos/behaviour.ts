// What a chaos proxy may do to the bytes of one connection: pure data, and how to draw it from a seed. Knows no socket.

/** As the proxy stands between the two: bytes of the client go `toServer`. */
export type Direction = "toServer" | "toClient"

export const directions: readonly Direction[] = ["toServer", "toClient"]

/**
 * How a direction ends after exactly so many bytes. `rst`: both ends get a reset. `fin`: the receiver gets an end of
 * stream, the other direction goes on. `blackHole`: the sender's bytes are still taken, and lost; nobody is told.
 * `hold`: nothing is read any more, so the sender's buffers fill; nobody is told.
 */
export const stops = ["rst", "fin", "blackHole", "hold"] as const
export type Stop = (typeof stops)[number]

/** One direction. Without any member bytes pass as they come. */
export interface LaneBehaviour {
  /** What is read waits for so long, plus or minus up to `jitterMs`. Order is kept. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  /** Forwarded in portions of a twentieth of a second. */
  readonly bytesPerSecond?: number
  /** The most that one write carries; 1 writes byte by byte, each in its own turn of the event loop. */
  readonly writeBytes?: number
  /** Everything that comes due within a window of so many milliseconds leaves as one write at its end. */
  readonly coalesceMs?: number
  /** Reading pauses while so many bytes wait here. Default 1 MiB; 1 lets a slow receiver be felt by the sender. */
  readonly readAheadBytes?: number
  readonly stop?: { readonly afterBytes: number; readonly how: Stop }
}

/** Both directions of one connection. */
export type ConnectionBehaviour = Readonly<Partial<Record<Direction, LaneBehaviour>>>

/** Decides about each connection when it arrives: its number counts from 0, its draws depend on nothing else. */
export type Plan = (index: number, random: () => number) => ConnectionBehaviour

/** The first connection gets the first behaviour and so on; those after the last one pass as they come. */
export function scripted(script: readonly ConnectionBehaviour[]): Plan {
  return (index) => script[index] ?? {}
}

/** A direction that reads so slowly that the sender feels it. */
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

/** Every trouble now and then, in any mixture: about half of all connections get through whole. */
export function randomPlan(options: RandomPlanOptions = {}): Plan {
  return (_, random) => ({ toServer: randomLane(random, options), toClient: randomLane(random, options) })
}

/** Always takes the same number of draws, so that one trouble more or less leaves the others as they were. */
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

/** A whole number from 0 to `most`, each order of magnitude equally likely. */
function upTo(most: number, draw: number): number {
  return Math.floor((most + 2) ** draw) - 1
}
