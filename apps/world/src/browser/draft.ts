// A player's text that was not sent: the line that is being written, and the lines that a session left. It outlives the
// log-in, for the same player. Must not know how lines are sent or shown.
import type { ChatInput, LeftLines } from "./speech.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export interface Draft {
  /** The line that is being written. */
  readonly line: Store<ChatInput>
  keep(left: LeftLines): void
  /** Returns the kept lines and clears them. */
  take(): LeftLines
  /** Sets the player who has logged in. The text of another player is cleared. */
  belongsTo(name: string): void
}

const noLine: ChatInput = { channel: "local", message: "", recipient: "" }
const noLines: LeftLines = { unsent: [], uncertain: undefined }

export function createDraft(): Draft {
  const line = createStore(noLine)
  let owner: string | undefined
  let kept = noLines
  return {
    line,
    keep(left) {
      kept = left
    },
    take() {
      const left = kept
      kept = noLines
      return left
    },
    belongsTo(name) {
      const next = name.toLowerCase()
      if (owner !== undefined && owner !== next) {
        kept = noLines
        line.set(noLine)
      }
      owner = next
    },
  }
}
