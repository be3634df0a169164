// What became of the session: counted for the badge and the developer panel, and told in the chat when the player has
// missed something. A session that goes on says nothing there, because nothing was missed.
import type { Client, SessionEvent } from "@hawser/client"
import type { WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import type { Store } from "./store.ts"

export interface ResumptionView {
  /** How often a session went on on a new connection. */
  readonly resumed: number
  /** Messages sent again, and messages that the server had kept. */
  readonly replayedOut: number
  readonly replayedIn: number
  readonly lastOutageMs: number | undefined
  /** True while the connection has been away for so long that the player should be told. */
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

export function tellSessionNews({ client, addTo, resumptions }: SessionNewsOptions): void {
  /** Why the last session ended, until the next one opens. */
  let lostBy: string | undefined
  /** True since the server said that it restarts, until a session is open. */
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
        // Of a session that the player ended nothing is lost.
        lostBy = event.cause === "client_closed" ? undefined : event.cause
        return
      case "prolonged":
        change({ isLong: true })
    }
  })

  /** The server sends what it kept before it answers anything, so it is all there when a round trip is done. */
  async function countReplay(): Promise<void> {
    const before = client.stats().received
    try {
      await client.ping()
    } catch {
      // Lost again; the next return counts what it brings.
      return
    }
    const { received, messagesReplayed } = client.stats()
    const replayedIn = resumptions.value.replayedIn + Math.max(0, received - before)
    change({ replayedOut: messagesReplayed, replayedIn })
  }
}

/** What the player reads when a new session has taken the place of a lost one. */
export function newsOf(cause: string, isRestart: boolean): string {
  // The server has saved everything before it ended, and its successor does not know the session.
  if (isRestart && (cause === "session_unknown" || cause === "server_shutdown"))
    return "The world was restarted. You are back where you were."
  return `${reasonOf(cause)} ${consequence}`
}

const consequence = "A new session has begun, and what happened here meanwhile is lost."

function reasonOf(cause: string): string {
  switch (cause) {
    case "session_expired":
      return "You were away for longer than the world keeps your place."
    case "session_overflow":
      return "More happened while you were away than the world could keep for you."
    case "session_unknown":
    case "server_shutdown":
      return "The world does not know your last session any more; it may have been restarted."
    case "replaced":
      return "You were playing somewhere else."
    default:
      return `Your session was lost (${cause}).`
  }
}
