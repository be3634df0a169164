// Decides which password is hashed next: a bounded queue in which lines take turns. An address has a line for its registrations
// and one for its log-ins. Must not know what a job does.
import type { DoorLimits } from "./door-limits.ts"

/** `lineIsFull`: that line has `hashesPerLine` jobs already. `full`: all together have `hashesMaxCount`. */
export type HashOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "lineIsFull" }
  | { readonly kind: "full" }

export interface HashQueue {
  /** Runs `job` when it is this line's turn. Rejects as the job does. */
  run<T>(name: string, job: () => Promise<T>): Promise<HashOutcome<T>>
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
  /** The round in which the line is served next. A new line is served in the current round. */
  round: number
}

type Bounds = Pick<DoorLimits, "hashThreads" | "hashesPerLine" | "hashesMaxCount">

export function createHashQueue(bounds: Bounds): HashQueue {
  // By name. A line without jobs is deleted.
  const lines = new Map<string, Line>()
  let size = 0
  let running = 0
  let currentRound = 0

  function next(): void {
    if (running >= bounds.hashThreads) return
    const first = nextLine(lines)
    const job = first?.waiting.shift()
    if (first === undefined || job === undefined) return
    currentRound = first.round
    first.round += 1
    first.running += 1
    running += 1
    job.start()
  }

  function ended(name: string, line: Line): void {
    line.running -= 1
    running -= 1
    left(name, line)
    next()
  }

  function left(name: string, line: Line): void {
    size -= 1
    if (line.running + line.waiting.length === 0) lines.delete(name)
  }

  /** Refuses the newest job of the longest line to make space. Returns false if no line is longer than `own`. */
  function displace(own: number): boolean {
    const longest = longestLine(lines, own)
    const job = longest?.[1].waiting.pop()
    if (longest === undefined || job === undefined) return false
    left(...longest)
    job.refuse()
    return true
  }

  function run<T>(name: string, job: () => Promise<T>): Promise<HashOutcome<T>> {
    const known = lines.get(name)
    const own = known === undefined ? 0 : known.running + known.waiting.length
    if (own >= bounds.hashesPerLine) return Promise.resolve({ kind: "lineIsFull" })
    if (size >= bounds.hashesMaxCount && !displace(own + 1)) return Promise.resolve({ kind: "full" })
    const line: Line = lines.get(name) ?? { waiting: [], running: 0, round: currentRound }
    lines.set(name, line)
    size += 1
    return new Promise((resolve, reject) => {
      line.waiting.push({
        start: () =>
          void job()
            .then((value) => resolve({ kind: "done", value }), reject)
            .finally(() => ended(name, line)),
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

/** Returns the line with the earliest round that has a waiting job. */
function nextLine(lines: ReadonlyMap<string, Line>): Line | undefined {
  let first: Line | undefined
  for (const line of lines.values())
    if (line.waiting.length > 0 && line.round < (first?.round ?? Infinity)) first = line
  return first
}

/** Returns the line with the most waiting jobs, if it has more than `own`. */
function longestLine(
  lines: ReadonlyMap<string, Line>,
  own: number,
): readonly [name: string, line: Line] | undefined {
  let longest: readonly [name: string, line: Line] | undefined
  for (const entry of lines)
    if (entry[1].waiting.length > (longest?.[1].waiting.length ?? own)) longest = entry
  return longest
}
