// Words of a player that were not sent: the line that is being written, and the lines that wait. They outlive the log-in,
// for the same player. Must not know how lines are sent or shown.
import type { ChatInput } from "./speech.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export interface Draft {
  readonly line: Store<ChatInput>
  /** Keeps lines that were not sent. */
  keep(lines: readonly ChatInput[]): void
  /** Returns the kept lines, and forgets them. */
  take(): readonly ChatInput[]
  /** A player has logged in: another one's words are forgotten. */
  belongsTo(name: string): void
}

const nothing: ChatInput = { channel: "local", message: "", recipient: "" }

export function createDraft(): Draft {
  const line = createStore<ChatInput>(nothing)
  let owner: string | undefined
  let kept: readonly ChatInput[] = []
  return {
    line,
    keep: (lines) => (kept = lines),
    take() {
      const lines = kept
      kept = []
      return lines
    },
    belongsTo(name) {
      const next = name.toLowerCase()
      if (owner !== undefined && owner !== next) {
        kept = []
        line.set(nothing)
      }
      owner = next
    },
  }
}
