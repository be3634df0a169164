// Words of a player that were not said: the line that is being written, and the lines that a session has left. They outlive
// the log-in, for the same player. Must not know how lines are sent or shown.
import type { ChatInput, LeftLines } from "./speech.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export interface Draft {
  /** The line that is being written. */
  readonly line: Store<ChatInput>
  keep(left: LeftLines): void
  /** Returns the kept lines, and forgets them. */
  take(): LeftLines
  /** A player has logged in: words of another one are forgotten. */
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
