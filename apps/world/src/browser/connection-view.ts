// State of the connection for the page, derived from the client's status. Pure.
import type { ClientStatus } from "@hawser/client"

export interface ConnectionView {
  readonly status: ClientStatus
  /** Time of the status, in milliseconds of `performance.now()`. */
  readonly sinceMs: number
  /** True once the status was `open` or `doubtful` since the last `connect()`. */
  readonly wasOpen: boolean
  /** True while the client reconnects because the server announced a restart. */
  readonly isRestart: boolean
}

type Connected = Extract<ClientStatus, { readonly state: "open" | "doubtful" }>

/** Returns true while the client has a connection, also a doubtful one. */
export function hasConnection(status: ClientStatus): status is Connected {
  return status.state === "open" || status.state === "doubtful"
}

export function firstView(status: ClientStatus, sinceMs: number): ConnectionView {
  return { status, sinceMs, wasOpen: false, isRestart: false }
}

export function nextView(before: ConnectionView, status: ClientStatus, sinceMs: number): ConnectionView {
  const wasOpen = hasConnection(status) || (status.state !== "connecting" && before.wasOpen)
  const isRestart =
    status.state === "reconnecting" && (before.isRestart || status.error?.code === "server_shutdown")
  return { status, sinceMs, wasOpen, isRestart }
}

/** Returns the cause of a missing connection in words for a player; undefined if it is unknown. */
export function plainCause(code: string | undefined, isOnline: boolean): string | undefined {
  if (!isOnline) return "This device has no network."
  switch (code) {
    case "connection_timeout":
      return "The answer takes too long."
    case "connection_failed":
      return "No connection could be opened: the world may be down, or something on the way blocks it."
    case "server_shutdown":
      return "It is being restarted."
    case undefined:
    default:
      return undefined
  }
}
