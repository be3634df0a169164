// Decides how the process ends: in order after a signal, and with all players' progress saved after an uncaught error.
// Must not know the parts of a world.
import { setTimeout as pause } from "node:timers/promises"

export interface ProcessEndOptions {
  /** Ends the world in order, and saves. Later calls return the outcome of the same end. */
  readonly close: () => Promise<void>
  /** Saves the current progress, without waiting for anything else. */
  readonly save: () => Promise<void>
  readonly log: {
    info(fields: object, message: string): void
    error(fields: object, message: string): void
    fatal(fields: object, message: string): void
  }
  /** Writes a sentence for the operator. */
  readonly complain: (sentence: string) => void
  /** Ends the process after the log is written. */
  readonly exit: (code: number) => void
  /** Time limit of `close` after an uncaught error, in milliseconds; default 10,000. */
  readonly crashMs?: number
}

export interface ProcessEnd {
  /** Handles SIGTERM or SIGINT. A second signal ends the process at once, with exit code 1. */
  readonly signal: (name: string) => void
  /** Handles an uncaught error: logs it, closes the world, and ends the process with exit code 1. */
  readonly crash: (error: unknown) => void
}

const defaultCrashMs = 10_000
/** Time limit of the save if closing fails or takes too long, in milliseconds. */
const rescueMs = 2_000

export function createProcessEnd(options: ProcessEndOptions): ProcessEnd {
  const { close, save, log, complain, exit, crashMs = defaultCrashMs } = options
  let isStopping = false
  let isCrashing = false

  async function stop(): Promise<void> {
    try {
      await close()
      if (!isCrashing) exit(0)
    } catch (err) {
      log.error({ err }, "the shutdown failed")
      complain(`The shutdown failed: ${sentenceOf(err)}`)
      if (!isCrashing) exit(1)
    }
  }

  async function closeAfterCrash(): Promise<void> {
    const isClosed = await Promise.race([
      close().then(
        () => true,
        () => false,
      ),
      pause(crashMs, false),
    ])
    if (!isClosed) await Promise.race([save().catch(() => {}), pause(rescueMs)])
    exit(1)
  }

  return {
    signal(name) {
      if (isStopping) {
        exit(1)
        return
      }
      isStopping = true
      log.info({ signal: name }, "shutting down")
      stop().catch(() => exit(1))
    },
    crash(error) {
      log.fatal({ err: error }, "an error that nothing caught ends the world")
      complain(`The world ends, because nothing caught this: ${sentenceOf(error)}`)
      // Further errors during the close do not shorten it.
      if (isCrashing) return
      isCrashing = true
      closeAfterCrash().catch(() => exit(1))
    },
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
