// Chat of the world: who hears a line, and the last lines for those who enter. Must not know commands.
import { chatInputMaxLength, world } from "../../contract.ts"
import { checkChat, isNear, localChatTiles } from "../../rules/chat.ts"
import type { ChatChannel, Place, Role } from "../../rules/chat.ts"
import type { Players, PlayerState } from "./player-state.ts"
import { SpokenLines } from "./spoken-lines.ts"
import type { WorldServer } from "./world-types.ts"

interface ChatInput {
  readonly channel: ChatChannel
  readonly message: string
  readonly recipient?: string | undefined
}

export class ChatRoom {
  readonly #server: WorldServer
  readonly #players: Players
  readonly #wallClockMs: () => number
  readonly #lines: SpokenLines

  constructor(server: WorldServer, players: Players, wallClockMs: () => number) {
    this.#server = server
    this.#players = players
    this.#wallClockMs = wallClockMs
    this.#lines = new SpokenLines(server.replica("lines"))
  }

  begin(): void {
    this.#lines.begin()
  }

  /** Sends the last lines that are heard where a player stands. */
  tell(player: PlayerState): void {
    const heard = this.#lines.heardAt(this.#players.place(player))
    if (heard.length === 0) return
    const lines = heard.map(({ sender, message, channel, sentAtMs }) => ({
      sender,
      message,
      channel,
      sentAtMs,
    }))
    player.session.send("chatHistory", { lines })
  }

  /** Says a line of the server to one player. */
  say({ session }: PlayerState, message: string): void {
    session.send("chatMessage", {
      sender: "Server",
      message,
      channel: "system",
      sentAtMs: this.#wallClockMs(),
    })
  }

  /** @throws HawserError for a line that the speaker may not say, and for an absent recipient. */
  speak(speaker: PlayerState, input: ChatInput, role: Role): { channel: ChatChannel; message: string } {
    const { channel } = input
    const verdict = checkChat(channel, input.message, { role, inputMaxLength: chatInputMaxLength })
    if (!verdict.ok) {
      const category = verdict.code === "chat_permission_denied" ? "permission" : "validation"
      throw world.error(verdict.code, { message: verdict.text, category })
    }
    const { message } = verdict
    const line = { sender: speaker.record.username, message, sentAtMs: this.#wallClockMs() }
    const at = this.#players.place(speaker)
    const hearers = this.#hearers(at, channel, input.recipient)
    const sessions = hearers.map(({ session }) => session)
    this.#server.multicast(sessions, "chatMessage", { ...line, channel })
    if (channel !== "dm") this.#lines.add({ ...at, ...line, channel })
    return { channel, message }
  }

  #hearers(at: Place, channel: ChatChannel, recipient: string | undefined): PlayerState[] {
    if (channel === "dm") return [this.#recipient(recipient)]
    const all = [...this.#players.all]
    if (channel === "global") return all
    return all.filter((other) => isNear(at, this.#players.place(other), localChatTiles))
  }

  #recipient(username: string | undefined): PlayerState {
    const found = username === undefined ? undefined : this.#players.byName(username)
    if (found !== undefined) return found
    throw world.error("chat_recipient_not_found", {
      message:
        username === undefined
          ? "a direct message needs a recipient"
          : `${JSON.stringify(username)} is not online`,
    })
  }
}
