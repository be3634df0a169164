// The last lines of the chat, for players who enter.
import type { SpokenLine } from "../../contract.ts"
import { isNear, localChatTiles } from "../../rules/chat.ts"
import type { Place } from "../../rules/chat.ts"
import type { Shown } from "./shown.ts"

/** Maximum number of lines; beyond it the oldest is removed. */
const keptMax = 200
/** Maximum number of lines for one who enters. */
const toldMax = 30

export class SpokenLines {
  readonly #shown: Shown<SpokenLine>
  #last = 0

  constructor(shown: Shown<SpokenLine>) {
    this.#shown = shown
  }

  /** Continues the numbers of an earlier process. */
  begin(): void {
    for (const [id] of this.#shown) this.#last = Math.max(this.#last, Number(id))
  }

  add(line: SpokenLine): void {
    this.#last += 1
    this.#shown.set(String(this.#last), line)
    for (const [id] of this.#shown) {
      if (this.#shown.size <= keptMax) return
      this.#shown.remove(id)
    }
  }

  /** Returns the last lines that are heard at a place, the oldest first. */
  heardAt(place: Place): readonly SpokenLine[] {
    const lines = [...this.#shown].map(([, line]) => line)
    return lines
      .filter((line) => line.channel === "global" || isNear(line, place, localChatTiles))
      .slice(-toldMax)
  }
}
