// The error of requests that a client does not accept in its current state. Must not know requests.
import { HawserError } from "@hawser/protocol"
import type { ReconnectState } from "./reconnect-state.ts"

/** Returns undefined if the client accepts requests. @param connectsSoon true if `connect` follows in this task. */
export function refusalOf(state: ReconnectState, connectsSoon: boolean): HawserError | undefined {
  if (state.kind === "idle") {
    const message = "the client has not been connected yet: call connect() first"
    return connectsSoon ? undefined : new HawserError("not_connected", { message })
  }
  if (state.kind !== "closed") return undefined
  const { code, message } = state.error
  return code === "client_closed"
    ? state.error
    : new HawserError("not_connected", { message: `the client is closed: ${message}` })
}
