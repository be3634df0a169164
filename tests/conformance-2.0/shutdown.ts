// Section 12.15: the announcement and the close of a stopping server. The command-line run does not contain it, because
// it needs control of the server's process. The owner of the process calls this once the server is stopping.
import { encodingViolations } from "./envelope-bytes.ts"
import { expectEqual, expectThat } from "./expect.ts"
import { WAIT_MS } from "./limits.ts"
import type { RawClient } from "./raw-client.ts"
import { expectShape, fields, nonEmptyText, numeric } from "./shape.ts"

/** Waits for event_server_shutdown and then a close 1012 that has a reason; each within `timeoutMs`. */
export async function expectShutdown(client: RawClient, timeoutMs: number = WAIT_MS): Promise<void> {
  const isNotice = ({ type }: { readonly type: string }) => type === "event_server_shutdown"
  const notice = await client.waitFor("event_server_shutdown", isNotice, { timeoutMs })
  expectShape(
    "event_server_shutdown",
    notice.payload,
    fields({ message: nonEmptyText, countdown_seconds: numeric }),
  )
  expectEqual("what breaks section 1", encodingViolations(notice.bytes, Date.now()), [])
  const close = await client.waitForClose("the close of a server that stops", timeoutMs)
  expectEqual("close code", close.code, 1012)
  expectThat(close.reason !== "", "a close reason that is not empty", close)
}
