// Counts session events for the badge and the developer panel, and adds a line to the chat if the player has missed
// something. A resumed session adds no line, because nothing was missed.
import type { Client, SessionEvent } from "@hawser/client"
import type { WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { lossReason } from "./player-words.ts"
import type { Store } from "./store.ts"

export interface ResumptionView {
  /** Number of resumes. */
  readonly resumed: number
  /** Messages that the client retransmitted, and messages that the server replayed. */
  readonly replayedOut: number
  readonly replayedIn: number
  readonly lastOutageMs: number | undefined
  /** True after an outage that is long enough to be shown. */
  readonly isLong: boolean
}

export const noResumptions: ResumptionView = {
  resumed: 0,
  replayedOut: 0,
  replayedIn: 0,
  lastOutageMs: undefined,
  isLong: false,
}

export interface SessionNewsOptions {
  readonly client: Client<WorldContract>
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  readonly resumptions: Store<ResumptionView>
}

export function showSessionNews({ client, addTo, resumptions }: SessionNewsOptions): void {
  /** Cause of the last session's end, until the next one opens. */
  let lostBy: string | undefined
  /** True since the server announced a restart, until a session is open. */
  let isRestart = false
  const change = (view: Partial<ResumptionView>): void => resumptions.set({ ...resumptions.value, ...view })

  client.onStatus((status) => {
    if (status.state === "reconnecting" && status.error?.code === "server_shutdown") isRestart = true
  })
  client.onSession((event: SessionEvent) => {
    switch (event.kind) {
      case "opened":
        change({ isLong: false })
        if (lostBy !== undefined) addTo({ kind: "system", text: newsOf(lostBy, isRestart) })
        lostBy = undefined
        isRestart = false
        return
      case "resumed": {
        isRestart = false
        const { sessionsResumed: resumed } = client.stats()
        change({ resumed, lastOutageMs: event.outageMs, isLong: false })
        countReplay().catch(reportError)
        return
      }
      case "reset":
        // A session that the player ended has lost nothing.
        lostBy = event.cause === "client_closed" ? undefined : event.cause
        return
      case "prolonged":
        change({ isLong: true })
    }
  })

  /** The server replays its buffer before it answers, so the replay is complete after one round trip. */
  async function countReplay(): Promise<void> {
    const before = client.stats().received
    try {
      await client.ping()
    } catch {
      // The connection was lost again; the next resume counts its replay.
      return
    }
    const { received, messagesReplayed } = client.stats()
    const replayedIn = resumptions.value.replayedIn + Math.max(0, received - before)
    change({ replayedOut: messagesReplayed, replayedIn })
  }
}

/** Returns the line for the player when a new session has replaced a lost one. */
export function newsOf(cause: string, isRestart: boolean): string {
  // The server saved everything before it ended, and its successor does not know the session.
  if (isRestart && (cause === "session_unknown" || cause === "server_shutdown"))
    return "The world was restarted. You are back where you were."
  return `${lossReason(cause)} ${consequence}`
}

const consequence = "A new session has begun, and what happened here meanwhile is lost."
