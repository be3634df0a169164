// The world's log: pino's lines on standard output, and a note on standard error when lines are dropped.
import { pino } from "pino"
import type { Level, Logger } from "pino"
import { createLogOutput, logTargetOf } from "./log-output.ts"
import type { LogOutput } from "./log-output.ts"

export interface WorldLog {
  readonly log: Logger
  readonly output: LogOutput
  /** Writes a sentence to standard error. A failure is ignored. */
  readonly complain: (sentence: string) => void
}

export function openWorldLog(level: Level | "silent"): WorldLog {
  // Without a listener the error of a full disk or of a closed pipe would end the process.
  process.stderr.on("error", () => {})
  const complain = (sentence: string): void => void process.stderr.write(`${sentence}\n`)
  const output = createLogOutput({
    target: logTargetOf(1, process.stdout),
    onLosing: (reason) =>
      complain(`the log cannot be written (${reason}); its lines are dropped until it can be`),
    onRecovered: (lostLines) => log.warn({ lostLines }, "lines of the log were lost"),
  })
  // Omits the host's name: its length has no bound, and log collectors add it.
  const log = pino({ level, base: { pid: process.pid } }, output)
  return { log, output, complain }
}
