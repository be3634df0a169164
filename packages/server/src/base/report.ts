// Default outputs of errors and warnings: `NODE_DEBUG`, the console, warnings of the process.
// No other file of this package writes there.
import { debuglog } from "node:util"

const debug = debuglog("hawser")

/** Writes an error to the debug log; `NODE_DEBUG=hawser` shows it. Default of `onError`. */
export function debugError(error: unknown): void {
  debug("%O", error)
}

/** Writes a warning to the console. Default of `onWarning`. */
export function showWarning({ message }: { readonly message: string }): void {
  console.warn(`hawser: ${message}`)
}

/** Emits a warning of the process, for faults of the application's `onError` itself. */
export function warnProcess(message: string): void {
  process.emitWarning(message)
}
