// Why a client takes no requests in a state, if it takes none. Knows no requests.
import { HawserError } from "@hawser/protocol"
import type { ReconnectState } from "./reconnect-state.ts"

/** @param connectsSoon `connect` follows in this turn, so that requests may be made already. */
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
