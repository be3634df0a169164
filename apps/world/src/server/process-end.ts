// Decides how the process ends: in order after a signal, and with everybody's progress saved after an error that nothing
// caught. Must not know what a world is made of.
import { setTimeout as pause } from "node:timers/promises"

export interface ProcessEndOptions {
  /** Ends the world in order, and saves. Called once or more; the same end is meant. */
  readonly close: () => Promise<void>
  /** Saves as it is, without waiting for anything else. */
  readonly save: () => Promise<void>
  readonly log: {
    info(fields: object, message: string): void
    error(fields: object, message: string): void
    fatal(fields: object, message: string): void
  }
  /** Writes a sentence where a person sees it. */
  readonly complain: (sentence: string) => void
  /** Ends the process when the log is written. */
  readonly exit: (code: number) => void
  /** How long the world may take to close after an uncaught error, in milliseconds; default 10,000. */
  readonly crashMs?: number
}

export interface ProcessEnd {
  /** SIGTERM or SIGINT. The second one ends the process at once, with 1. */
  readonly signal: (name: string) => void
  /** An error that nothing caught: says so, closes the world, and ends the process with 1. */
  readonly crash: (error: unknown) => void
}

const defaultCrashMs = 10_000
/** If closing fails or takes too long, this much time is left to save. */
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

  async function fall(): Promise<void> {
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
      // Further errors while the world closes do not cut its end short.
      if (isCrashing) return
      isCrashing = true
      fall().catch(() => exit(1))
    },
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
