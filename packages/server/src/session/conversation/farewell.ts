// How a client is told that its session is over.
import { isErrorCode } from "@hawser/protocol"
import { errorTable, sentence } from "@hawser/protocol/core"
import type { Delivery } from "@hawser/protocol/core"
import type { EndCause } from "../../base/session.ts"

/** By RESET, by BYE, or by the close code alone. */
export type Farewell = "reset" | "bye" | "close"

/** How a session ends, where its cause does not say. */
export interface Ending {
  readonly message?: string | undefined
  readonly farewell?: Farewell
}

/** What the client must do next decides how it is told: begin anew, stay away, or come back later. */
export function farewellOf(cause: EndCause): Farewell {
  switch (cause) {
    case "closed":
    case "connection_lost":
    // Its client is to come back, and hears then what became of its session.
    case "server_shutdown":
    case "text_message":
      return "close"
    // The same bytes must not come again, but a new session may do better.
    case "sys_invalid_message":
      return "reset"
    default:
      return isErrorCode(cause) && errorTable[cause].retry === "never" ? "bye" : "reset"
  }
}

interface LastWords {
  readonly delivery: Delivery
  readonly cause: EndCause
  readonly message: string
  readonly farewell: Farewell
}

export function sayFarewell({ delivery, cause, message, farewell }: LastWords): void {
  // Only after a RESET nothing of before counts: everybody else hears first what was sent before the end.
  if (farewell !== "reset") delivery.flush()
  const told = sentence(cause)
  if (farewell === "bye") delivery.control({ kind: "bye", code: told, message: sentence(message) })
  else if (farewell === "reset") delivery.control({ kind: "reset", cause: told, count: delivery.received })
}
