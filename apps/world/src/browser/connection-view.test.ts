import { HawserError } from "@hawser/client"
import type { ClientStatus } from "@hawser/client"
import { expect, test } from "vitest"
import { firstView, nextView, plainCause } from "./connection-view.ts"
import type { ConnectionView } from "./connection-view.ts"

const reconnecting = (code: "connection_failed" | "server_shutdown"): ClientStatus => ({
  state: "reconnecting",
  attempt: 1,
  delayMs: 0,
  waiting: false,
  error: new HawserError(code),
})

const idle: ClientStatus = { state: "idle" }
const connecting: ClientStatus = { state: "connecting", attempt: 0 }
const open: ClientStatus = { state: "open" }

function viewAfter(...statuses: readonly ClientStatus[]): ConnectionView {
  let view = firstView(idle, 0)
  for (const status of statuses) view = nextView(view, status, 1)
  return view
}

test("door-6 a replaced page that reconnects while the server is unreachable shows that it cannot reach the world", () => {
  const replaced: ClientStatus = { state: "closed", error: new HawserError("replaced") }
  expect(viewAfter(connecting, open, reconnecting("connection_failed")).wasOpen).toBe(true)
  expect(viewAfter(connecting, open, replaced).wasOpen).toBe(true)
  expect(viewAfter(connecting, open, replaced, connecting, reconnecting("connection_failed")).wasOpen).toBe(
    false,
  )
})

test("door-6 an announced restart is shown until the connection is open, for any errors of the attempts", () => {
  const lost = [connecting, open, reconnecting("server_shutdown"), reconnecting("connection_failed")]
  expect(viewAfter(...lost).isRestart).toBe(true)
  expect(viewAfter(...lost, open).isRestart).toBe(false)
  expect(viewAfter(connecting, open, reconnecting("connection_failed")).isRestart).toBe(false)
})

test("door-6 describes the cause in plain words, or not at all if the headline contains it", () => {
  expect(plainCause("connection_failed", true)).not.toMatch(/[0-9]|reach/)
  expect(plainCause("sys_service_unavailable", true)).toBeUndefined()
  expect(plainCause("connection_failed", false)).toBe("This device has no network.")
  expect(plainCause("connection_timeout", true)).toBe("The answer takes too long.")
})
