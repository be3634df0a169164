// The last place for errors and warnings that the application does not take: the console of the process.
// The only file of this package that writes there.
import { debuglog } from "node:util"

const debug = debuglog("hawser")

/** Where errors go when the application passes no `onError`: `NODE_DEBUG=hawser` shows them. */
export function debugError(error: unknown): void {
  debug("%O", error)
}

/** Where warnings go when the application passes no `onWarning`. */
export function showWarning({ message }: { readonly message: string }): void {
  console.warn(`hawser: ${message}`)
}

/** Says what must not stay unseen although nobody takes it. */
export function warnProcess(message: string): void {
  process.emitWarning(message)
}
