// Ticks at a fixed rate, the same for every server. A late tick is not made up for: the next one is due a whole period
// after it, so an overloaded server shows a lower rate instead of an endless backlog.
import { clockMs } from "./control.ts"
import { tickEveryMs } from "./world-model.ts"

/** Starts ticking. The returned function stops, and returns the time at which each tick was due, in `clockMs`. */
export function startTicks(tick: (number: number) => void): () => readonly number[] {
  const dueAtMs: number[] = []
  let timer: NodeJS.Timeout | undefined
  let next = clockMs() + tickEveryMs
  function run(): void {
    dueAtMs.push(next)
    tick(dueAtMs.length - 1)
    const nowMs = clockMs()
    next = Math.max(next + tickEveryMs, nowMs)
    timer = setTimeout(run, next - nowMs)
  }
  timer = setTimeout(run, tickEveryMs)
  return () => {
    clearTimeout(timer)
    return dueAtMs
  }
}
