// Default outputs of errors, warnings and refused log-ins: the console, and warnings of the process. A line that repeats is
// limited, because strangers can cause some of them. No other file of this package writes there.
import { RepeatLimit, escapedLine, oneLine, quoted, repeatedWords } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { inspect } from "node:util"
import type { LoginRefusal } from "./refusals.ts"

/** Equal lines of errors in a minute. */
const errorsPerMinute = 10
/** Longest error with its stack, in UTF-16 units; the rest is cut. */
const errorMaxLength = 10_000

/**
 * Returns the default of `onError`: writes the error's sentence, which names the call, and the stack of its cause, or else its
 * own. Equal sentences appear ten times a minute; the next line has the number of all since.
 */
export function consoleErrors(clock: Pick<Clock, "now">): (error: unknown) => void {
  const limit = new RepeatLimit({ perMinute: errorsPerMinute })
  return (error) => {
    const sentence = error instanceof Error ? oneLine(error.message) : "a value that is no Error was thrown"
    const count = limit.count(sentence, clock.now())
    if (count > 0) showError(sentence + repeatedWords(count), error)
  }
}

/**
 * Writes an error to the console as one text, which the console does not format. The error may contain a peer's text: control
 * characters are escaped, and its lines are indented, so that none of them looks like a line of the server.
 */
function showError(sentence: string, error: unknown): void {
  console.error(`hawser: ${sentence}\n${shownError(error)}`)
}

function shownError(error: unknown): string {
  try {
    const text = inspect(error instanceof Error ? (error.cause ?? error) : error)
    const lines = text.slice(0, errorMaxLength).split("\n")
    return lines.map((line) => `    ${escapedLine(line)}`).join("\n")
  } catch {
    return "    (an error that throws when it is read)"
  }
}

/** Writes a refused log-in to the console. Default of `onRefused`. A fault of the server was reported to `onError` already. */
export function showRefusal({ code, message, cause, address, userId, count }: LoginRefusal): void {
  if (code === "sys_internal_error") return
  const user = userId === undefined ? "" : ` of the user ${quoted(userId)}`
  const because = cause instanceof Error ? ` Cause: ${oneLine(cause.message)}` : ""
  const text = `a log-in${user} from ${quoted(address)} was refused with ${code}: ${oneLine(message)}${because}`
  console.warn(`hawser: ${text}${repeatedWords(count)}`)
}

/** Writes a warning to the console. Default of `onWarning`. */
export function showWarning({ message }: { readonly message: string }): void {
  console.warn(`hawser: ${message}`)
}

/** Writes the fault of the application's `onError`, and the error that it was called for. */
export function showFailedReport(error: unknown, own: unknown): void {
  showError("onError of the application failed, when it was called for this error:", error)
  showError("onError failed with:", own)
}
