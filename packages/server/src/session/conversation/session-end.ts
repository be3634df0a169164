// Chooses how a session's end is reported to its client: RESET, BYE or the close code alone. Must not know why a session ends.
import { isErrorCode } from "@hawser/protocol"
import { errorTable, sentence } from "@hawser/protocol/core"
import type { ServerDelivery } from "@hawser/protocol/core"
import type { EndCause } from "../../base/session.ts"

/** Report of an end: RESET, BYE, or the close code alone. */
export type EndReport = "reset" | "bye" | "close"

/** Options of a session's end. */
export interface Ending {
  /** Text for the user. Default: the sentence of the cause. */
  readonly message?: string | undefined
  /** Default: by the cause, `endReportOf`. */
  readonly report?: EndReport
}

/** Returns the report for a cause. RESET: open a new session. BYE: do not reconnect. Close code alone: dial again later. */
export function endReportOf(cause: EndCause): EndReport {
  switch (cause) {
    case "closed":
    case "connection_lost":
    // The client dials again, and the answer to its claim reports the session's end.
    case "server_shutdown":
    case "text_message":
      return "close"
    // A replay of the same bytes would fail again; a new session may succeed.
    case "sys_invalid_message":
      return "reset"
    default:
      return isErrorCode(cause) && errorTable[cause].retry === "never" ? "bye" : "reset"
  }
}

/** Sends RESET or BYE. Flushes the send buffer first, except before RESET: a RESET discards it. */
export function reportEnd(
  delivery: ServerDelivery,
  report: EndReport,
  { cause, message }: { readonly cause: EndCause; readonly message: string },
): void {
  if (report !== "reset") delivery.flush()
  const code = sentence(cause)
  if (report === "bye") delivery.control({ kind: "bye", code, message: sentence(message) })
  else if (report === "reset") delivery.control({ kind: "reset", cause: code, count: delivery.received })
}
