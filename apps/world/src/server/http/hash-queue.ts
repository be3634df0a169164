// Decides whose password is hashed next: a bounded queue in which addresses take turns. Must not know what a job does.
import type { DoorLimits } from "./door-limits.ts"

/** `tooManyOfAddress`: that address has `hashesPerAddress` jobs already. `full`: all together have `hashesMaxCount`. */
export type HashOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "tooManyOfAddress" }
  | { readonly kind: "full" }

export interface HashQueue {
  /** Runs `job` when it is this address's turn. Rejects as the job does. */
  run<T>(address: string, job: () => Promise<T>): Promise<HashOutcome<T>>
  /** Jobs that wait or run. */
  readonly size: number
}

interface Waiting {
  start(): void
  refuse(): void
}

interface Line {
  /** Oldest first. */
  readonly waiting: Waiting[]
  running: number
  /** The round in which the address is served next. It began in the round that was under way when it came. */
  round: number
}

type Bounds = Pick<DoorLimits, "hashThreads" | "hashesPerAddress" | "hashesMaxCount">

export function createHashQueue(bounds: Bounds): HashQueue {
  // An address without jobs has no line.
  const lines = new Map<string, Line>()
  let size = 0
  let running = 0
  let currentRound = 0

  function next(): void {
    if (running >= bounds.hashThreads) return
    let first: Line | undefined
    for (const line of lines.values())
      if (line.waiting.length > 0 && line.round < (first?.round ?? Infinity)) first = line
    const job = first?.waiting.shift()
    if (first === undefined || job === undefined) return
    currentRound = first.round
    first.round += 1
    first.running += 1
    running += 1
    job.start()
  }

  function ended(address: string, line: Line): void {
    line.running -= 1
    running -= 1
    left(address, line)
    next()
  }

  function left(address: string, line: Line): void {
    size -= 1
    if (line.running + line.waiting.length === 0) lines.delete(address)
  }

  /** Makes room for an address by refusing the newest job of the longest line; false if no line is longer than its own. */
  function displace(own: number): boolean {
    let longest: readonly [address: string, line: Line] | undefined
    for (const entry of lines)
      if (entry[1].waiting.length > (longest?.[1].waiting.length ?? own)) longest = entry
    const job = longest?.[1].waiting.pop()
    if (longest === undefined || job === undefined) return false
    left(...longest)
    job.refuse()
    return true
  }

  function run<T>(address: string, job: () => Promise<T>): Promise<HashOutcome<T>> {
    const known = lines.get(address)
    const own = known === undefined ? 0 : known.running + known.waiting.length
    if (own >= bounds.hashesPerAddress) return Promise.resolve({ kind: "tooManyOfAddress" })
    if (size >= bounds.hashesMaxCount && !displace(own + 1)) return Promise.resolve({ kind: "full" })
    const line: Line = lines.get(address) ?? { waiting: [], running: 0, round: currentRound }
    lines.set(address, line)
    size += 1
    return new Promise((resolve, reject) => {
      line.waiting.push({
        start: () =>
          void job()
            .then((value) => resolve({ kind: "done", value }), reject)
            .finally(() => ended(address, line)),
        refuse: () => resolve({ kind: "full" }),
      })
      next()
    })
  }

  return {
    run,
    get size() {
      return size
    },
  }
}
