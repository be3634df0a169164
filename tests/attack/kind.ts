// One kind of attack: its share of the attack, and the behaviour of one of its sockets. Must not know the processes.
import type { Peer } from "./peer.ts"

export interface Kind {
  readonly name: string
  /** Weight in the number of sockets; the weights of all kinds share out `--sockets`. */
  readonly share: number
  /** Limit of simultaneous sockets, whatever the share; default the share. */
  readonly socketsMax?: number
  /** True for one kind: beyond its share and rate, its sockets make up the difference to `--sockets`. */
  readonly isFiller?: boolean
  /**
   * Limit of sockets opened per second, at 500 sockets; fewer sockets open proportionally fewer. Bounds the attackers'
   * CPU.
   */
  readonly perSecond: number
  /**
   * Longest time that the server may keep such a socket, in milliseconds: the server's own bound, the interval of its
   * check, and 3 s for a busy machine. Undefined for attackers that leave by themselves.
   */
  readonly heldMaxMs?: number
  /** Resolves with a short outcome, one of few, when this socket's attack is over. */
  run(attack: Attack): Promise<string>
}

/** Environment of one socket of an attack. */
export interface Attack {
  /** A random number from [0, 1), by the seed. */
  readonly random: () => number
  /** Paths of the page's files, the largest first. */
  readonly assets: readonly string[]
  /** Log-in tokens of accounts for the attackers. */
  readonly tokens: readonly string[]
  readonly host: string
  /** Opens a TCP connection, from the address that half of all attackers share, or from one of about a thousand. */
  open(from?: "shared" | "spread"): Peer
  /** Resolves after `ms`, or when the attack stops. */
  pause(ms: number): Promise<void>
}

export function pick<T>(random: () => number, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError("nothing to pick from")
  return item
}

/** Random lower-case letters. */
export function word(random: () => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join("")
}

export function bytes(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}
