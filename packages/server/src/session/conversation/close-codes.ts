// Maps the code of an end to the WebSocket close code of `hawser.1`.
import { isErrorCode } from "@hawser/protocol"
import { closeCode, errorTable } from "@hawser/protocol/core"

/** Returns the close code for a code of the error table, for `closed`, or for a code of the application. */
export function closeCodeOf(code: string): number {
  if (code === "text_message") return closeCode.unsupportedData
  if (code === "closed") return closeCode.normal
  // A code of the application is final: the client must not dial again.
  return isErrorCode(code) ? (errorTable[code].close ?? closeCode.sessionEnded) : closeCode.forbidden
}
