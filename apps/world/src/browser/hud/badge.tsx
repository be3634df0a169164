// Badge of the connection: round trip while open, attempt and countdown while reconnecting.
import { useEffect, useState } from "preact/hooks"
import type { ConnectionView } from "../connection-view.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

const titles: Readonly<Record<ConnectionView["status"]["state"], string>> = {
  idle: "Starting",
  connecting: "Connecting",
  open: "Online",
  doubtful: "No answer",
  reconnecting: "Reconnecting",
  closed: "Offline",
}

export function Badge({ session }: { readonly session: Session }) {
  const { status, sinceMs, wasOpen } = useStore(session.connection)
  const roundTripMs = useStore(session.roundTripMs)
  const silentSeconds = useStore(session.silentSeconds)
  const { resumed, replayedOut, replayedIn } = useStore(session.resumptions)
  const isWaiting = status.state === "reconnecting" && status.waiting
  const nowMs = useNow(isWaiting)
  const leftMs = isWaiting ? Math.max(0, sinceMs + status.delayMs - nowMs) : 0
  return (
    <div
      class="badge panel"
      data-testid="badge"
      data-state={status.state}
      data-silent={silentSeconds !== undefined}
      role="status"
    >
      <i class="badge-light" aria-hidden="true" />
      <strong>
        {status.state === "reconnecting" && !wasOpen ? titles.connecting : titles[status.state]}
      </strong>
      {silentSeconds !== undefined && (
        <span data-testid="badge-silent">
          {status.state === "doubtful" ? "for" : "No answer for"} {silentSeconds} s
        </span>
      )}
      {status.state === "open" && silentSeconds === undefined && roundTripMs !== undefined && (
        <span data-testid="badge-round-trip">{formatRoundTrip(roundTripMs)}</span>
      )}
      {status.state === "reconnecting" && <span data-testid="badge-attempt">attempt {status.attempt}</span>}
      {isWaiting && <span data-testid="badge-countdown">{(leftMs / 1000).toFixed(1)} s</span>}
      {resumed > 0 && (
        <span
          class="replays"
          title="How often the session went on after a lost connection, and how many messages were caught up"
        >
          <span data-testid="badge-resumed">{resumed}× resumed</span>
          {" · "}
          <span data-testid="badge-replayed">{replayedOut + replayedIn} replayed</span>
        </span>
      )}
    </div>
  )
}

function formatRoundTrip(ms: number): string {
  return ms < 1 ? "<1 ms" : `${Math.round(ms)} ms`
}

/** Returns the time, updated ten times a second while `isRunning`. */
function useNow(isRunning: boolean): number {
  const [nowMs, setNowMs] = useState(() => performance.now())
  useEffect(() => {
    if (!isRunning) return undefined
    setNowMs(performance.now())
    const timer = setInterval(() => setNowMs(performance.now()), 100)
    return () => clearInterval(timer)
  }, [isRunning])
  return nowMs
}
