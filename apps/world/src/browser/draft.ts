// A player's text that was not sent: the line that is being written, and the lines that a session left. It outlives the
// log-in and a reload of the page, for the same player. Must not know how lines are sent or shown.
//
// A line that waits is stored only while no session has it: `take` removes the lines from the storage, which a duplicated
// tab copies. Otherwise both tabs would send them.
import { z } from "zod"
import { chatChannels, chatInputMaxLength } from "../contract.ts"
import { waitingLinesMax } from "./speech.ts"
import type { ChatInput, LeftLines } from "./speech.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"
import { jsonOf } from "./text-slot.ts"
import type { TextSlot } from "./text-slot.ts"

export interface Draft {
  /** The line that is being written. */
  readonly line: Store<ChatInput>
  /** Keeps the lines for the player who is logged in, or was until now. */
  keep(left: LeftLines): void
  /** Returns the kept lines and clears them. */
  take(): LeftLines
  /** Sets the player who has logged in. The text of another player is cleared. */
  belongsTo(name: string): void
  /** Clears the text: the player has logged out. */
  clear(): void
}

const noLine: ChatInput = { channel: "local", message: "", recipient: "" }
const noLines: LeftLines = { unsent: [], uncertain: undefined }

const lineSchema = z.object({
  channel: z.enum(chatChannels),
  message: z.string().max(chatInputMaxLength),
  recipient: z.string().max(50),
})
const storedSchema = z.object({
  owner: z.string().min(1),
  line: lineSchema,
  unsent: z.array(lineSchema).max(waitingLinesMax),
  uncertain: lineSchema.optional(),
})

export function createDraft(slot: TextSlot): Draft {
  const stored = storedSchema.safeParse(jsonOf(slot)).data
  const line = createStore(stored?.line ?? noLine)
  let owner = stored?.owner
  let kept: LeftLines =
    stored === undefined ? noLines : { unsent: stored.unsent, uncertain: stored.uncertain }

  function store(): void {
    const isEmpty = line.value.message === "" && kept.unsent.length === 0 && kept.uncertain === undefined
    slot.write(
      owner === undefined || isEmpty ? undefined : JSON.stringify({ owner, line: line.value, ...kept }),
    )
  }

  function setOwner(next: string | undefined): void {
    if (owner !== next) {
      kept = noLines
      line.set(noLine)
    }
    owner = next
    store()
  }

  line.subscribe(store)
  return {
    line,
    keep(left) {
      if (owner === undefined) return
      kept = left
      store()
    },
    take() {
      const left = kept
      kept = noLines
      store()
      return left
    },
    belongsTo: (name) => setOwner(name.toLowerCase()),
    clear: () => setOwner(undefined),
  }
}
