// What a developer wants to see of the connection, and a way to break it.
import { useEffect, useState } from "preact/hooks"
import type { ComponentChildren } from "preact"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

const lookEveryMs = 250
/** Enough of a session's id to tell two apart. */
const idLength = 8

export function DevPanel({ session }: { readonly session: Session }) {
  const { status } = useStore(session.connection)
  const roundTripMs = useStore(session.roundTripMs)
  const { resumed, replayedOut, replayedIn, lastOutageMs } = useStore(session.resumptions)
  const { sessionId, stats, pending } = useReading(session)
  return (
    <section class="dev panel" data-testid="dev-panel" aria-label="Connection">
      <button class="plug" data-testid="pull-plug" type="button" onClick={() => session.pullThePlug()}>
        Pull the plug
      </button>
      <dl>
        <Row name="Session" testId="dev-session">
          {sessionId?.slice(0, idLength) ?? "–"}
        </Row>
        <Row name="State" testId="dev-state">
          {status.state}
        </Row>
        <Row name="Round trip" testId="dev-round-trip">
          {milliseconds(roundTripMs)}
        </Row>
        <Row name="Resumed" testId="dev-resumed">
          {resumed}
        </Row>
        <Row name="Last outage" testId="dev-outage">
          {milliseconds(lastOutageMs)}
        </Row>
        <Row name="Replayed out" testId="dev-replayed-out">
          {replayedOut}
        </Row>
        <Row name="Replayed in" testId="dev-replayed-in">
          {replayedIn}
        </Row>
        <Row name="Sent" testId="dev-sent">
          {stats.sent}
        </Row>
        <Row name="Acknowledged" testId="dev-acknowledged">
          {stats.sent - stats.bufferedMessages}
        </Row>
        <Row name="Buffered" testId="dev-buffered">
          {stats.bufferedMessages} ({stats.bufferedBytes} B)
        </Row>
        <Row name="Received" testId="dev-received">
          {stats.received}
        </Row>
        <Row name="Pending" testId="dev-pending">
          {pending.length}
        </Row>
      </dl>
      <ul data-testid="dev-requests">
        {pending.map((request, index) => (
          <li key={index}>{request}</li>
        ))}
      </ul>
    </section>
  )
}

interface RowProps {
  readonly name: string
  readonly testId: string
  readonly children: ComponentChildren
}

function Row({ name, testId, children }: RowProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  )
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? "–" : `${Math.round(ms)} ms`
}

/** The connection's figures, four times a second: they change with every message. */
function useReading(session: Session): ReturnType<Session["readConnection"]> {
  const [reading, setReading] = useState(() => session.readConnection())
  useEffect(() => {
    const timer = setInterval(() => setReading(session.readConnection()), lookEveryMs)
    return () => clearInterval(timer)
  }, [session])
  return reading
}
