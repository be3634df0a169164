// Loads one picture, and tries again after a failure: after delays, then once for each call of `retry`. Must not know
// the format of pictures.
import type { Clock } from "@hawser/protocol"

/** Delays between attempts, in milliseconds. After the last one only `retry` begins another attempt. */
const delaysMs = [1_000, 3_000, 10_000, 30_000, 60_000] as const
/** Time limit of the first attempt, in milliseconds: a slow connection needs its time. Each attempt doubles it. */
const limitMs = 30_000
const limitMaxMs = 240_000

export interface PictureLoading {
  /** Tries at once if the picture is missing and no attempt is under way. */
  retry(): void
  stop(): void
}

export interface PictureLoadingOptions<Picture> {
  /** Rejects if the picture cannot be loaded. The attempt is over when `signal` aborts. */
  readonly load: (signal: AbortSignal) => Promise<Picture>
  readonly onLoaded: (picture: Picture) => void
  readonly clock: Pick<Clock, "schedule">
}

export function loadPicture<Picture>(options: PictureLoadingOptions<Picture>): PictureLoading {
  const { load, onLoaded, clock } = options
  let failedCount = 0
  let underWay: AbortController | undefined
  let isOver = false
  let cancel = (): void => {}

  function attempt(): void {
    cancel()
    const attempting = new AbortController()
    underWay = attempting
    const failed = (): void => {
      if (underWay === attempting) fail()
    }
    cancel = clock.schedule(Math.min(limitMs * 2 ** failedCount, limitMaxMs), failed)
    load(attempting.signal).then((picture) => {
      if (underWay !== attempting) return
      end()
      onLoaded(picture)
    }, failed)
  }

  function fail(): void {
    cancel()
    underWay?.abort()
    underWay = undefined
    const delayMs = delaysMs[failedCount]
    failedCount += 1
    if (delayMs !== undefined) cancel = clock.schedule(delayMs, attempt)
  }

  function end(): void {
    isOver = true
    underWay = undefined
    cancel()
  }

  attempt()
  return {
    retry() {
      if (!isOver && underWay === undefined) attempt()
    },
    stop() {
      underWay?.abort()
      end()
    },
  }
}
