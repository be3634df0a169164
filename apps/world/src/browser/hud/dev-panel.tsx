// Developer panel: numbers of the connection, and a button that cuts it.
import { useEffect, useRef, useState } from "preact/hooks"
import type { ComponentChildren } from "preact"
import type { WorldHealth } from "../../contract.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"
import { addCounts, trafficOf } from "../traffic.ts"
import type { Counts, Traffic } from "../traffic.ts"

const lookEveryMs = 250
const askEveryMs = 1_000
/** Shown characters of a session's id; enough to distinguish two sessions. */
const idLength = 8

export function DevPanel({ session }: { readonly session: Session }) {
  const reading = useReading(session)
  useConsole(session)
  return (
    <section class="dev panel" data-testid="dev-panel" aria-label="Connection">
      <button class="plug" data-testid="pull-plug" type="button" onClick={() => session.pullThePlug()}>
        Pull the plug
      </button>
      <dl>
        <ConnectionRows session={session} sessionId={reading.sessionId} />
        <WorldRows session={session} traffic={reading.traffic} />
        <MessageRows reading={reading} />
      </dl>
      <ul data-testid="dev-requests">
        {reading.pending.map((request, index) => (
          <li key={index}>{request}</li>
        ))}
      </ul>
    </section>
  )
}

interface ConnectionRowsProps {
  readonly session: Session
  readonly sessionId: string | undefined
}

function ConnectionRows({ session, sessionId }: ConnectionRowsProps) {
  const { status } = useStore(session.connection)
  const roundTripMs = useStore(session.roundTripMs)
  const { resumed, replayedOut, replayedIn, lastOutageMs } = useStore(session.resumptions)
  const error = status.state === "reconnecting" || status.state === "closed" ? status.error : undefined
  return (
    <>
      <Row name="Session" testId="dev-session">
        {sessionId?.slice(0, idLength) ?? "–"}
      </Row>
      <Row name="State" testId="dev-state">
        {status.state}
      </Row>
      <Row name="Last error" testId="dev-error">
        {error?.message ?? "–"}
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
    </>
  )
}

function WorldRows({ session, traffic }: { readonly session: Session; readonly traffic: Traffic }) {
  const health = useHealth(session)
  return (
    <>
      <Row name="Bytes in" testId="dev-bytes">
        {kibibytes(traffic.bytesPerSecond)}/s
      </Row>
      <Row name="Updates" testId="dev-updates">
        {Math.round(traffic.updatesPerSecond)}/s
      </Row>
      <Row name="Cells" testId="dev-cells">
        {session.shown.cells}
      </Row>
      <Row name="Records" testId="dev-records">
        {session.shown.records}
      </Row>
      <Row name="Players" testId="dev-players">
        {health?.players ?? "–"}
      </Row>
      <Row name="Tick p50" testId="dev-tick-p50">
        {tickTime(health?.tickP50Ms)}
      </Row>
      <Row name="Tick p99" testId="dev-tick-p99">
        {tickTime(health?.tickP99Ms)}
      </Row>
    </>
  )
}

function MessageRows({ reading: { stats, pending } }: { readonly reading: Reading }) {
  return (
    <>
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
    </>
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

function tickTime(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "–" : `${ms.toFixed(1)} ms`
}

function kibibytes(bytes: number): string {
  return bytes < 1_024 ? `${Math.round(bytes)} B` : `${(bytes / 1_024).toFixed(1)} KiB`
}

type Reading = ReturnType<Session["readConnection"]> & { readonly traffic: Traffic }

/** Reads the connection's numbers four times a second, because they change with every message. */
function useReading(session: Session): Reading {
  const readings = useRef<readonly Counts[]>([])
  const read = (): Reading => {
    const reading = session.readConnection()
    const { bytesReceived: bytes } = reading.stats
    const now = { atMs: performance.now(), bytes, updates: session.shown.updates }
    readings.current = addCounts(readings.current, now)
    return { ...reading, traffic: trafficOf(readings.current) }
  }
  const [reading, setReading] = useState(read)
  useEffect(() => {
    const timer = setInterval(() => setReading(read()), lookEveryMs)
    return () => clearInterval(timer)
  }, [session])
  return reading
}

/** Queries the server's health once a second while the panel is open. */
function useHealth(session: Session): WorldHealth | undefined {
  const [health, setHealth] = useState<WorldHealth>()
  useEffect(() => {
    const ask = (): void => void session.askHealth().then((answer) => setHealth(() => answer))
    ask()
    const timer = setInterval(ask, askEveryMs)
    return () => clearInterval(timer)
  }, [session])
  return health
}

/** While the panel is open, `hawser.records()` in the browser's console returns all records of the page. */
function useConsole(session: Session): void {
  useEffect(() => {
    Object.assign(globalThis, { hawser: { records: () => session.shown.all() } })
    return () => void Reflect.deleteProperty(globalThis, "hawser")
  }, [session])
}
