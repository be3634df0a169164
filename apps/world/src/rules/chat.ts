// Checks a chat message: permission and length by channel. Decides whether two places are near each other. Pure.
import { inertText } from "./inert-text.ts"

export type ChatChannel = "local" | "global" | "dm"
export type Role = "player" | "moderator" | "admin"

/** Characters per channel; longer texts up to `chatInputMaxLength` are cut. */
const chatMaxLength: Readonly<Record<ChatChannel, number>> = { local: 280, global: 200, dm: 500 }
/** Range of local chat, in tiles on either axis. */
export const localChatTiles = 32

export type ChatVerdict =
  | { readonly ok: true; readonly message: string }
  | {
      readonly ok: false
      readonly code: "chat_message_too_long" | "chat_message_empty" | "chat_permission_denied"
      readonly text: string
    }

/** Returns the channels that a player of this role may use. */
export function channelsFor(role: Role): ChatChannel[] {
  return role === "player" ? ["local", "dm"] : ["local", "global", "dm"]
}

export function checkChat(
  channel: ChatChannel,
  input: string,
  speaker: { role: Role; inputMaxLength: number },
): ChatVerdict {
  if (!channelsFor(speaker.role).includes(channel)) {
    return {
      ok: false,
      code: "chat_permission_denied",
      text: "only moderators and admins may use the global channel",
    }
  }
  const characters = Array.from(inertText(input).trim())
  if (characters.length > speaker.inputMaxLength) {
    const text = `the message has ${characters.length} characters; the limit is ${speaker.inputMaxLength}`
    return { ok: false, code: "chat_message_too_long", text }
  }
  if (characters.length === 0) return { ok: false, code: "chat_message_empty", text: "the message is empty" }
  return { ok: true, message: characters.slice(0, chatMaxLength[channel]).join("") }
}

export interface Place {
  readonly mapId: string
  readonly x: number
  readonly y: number
}

/** Returns true for two places on the same map, at most `tiles` apart on either axis. */
export function isNear(one: Place, other: Place, tiles: number): boolean {
  return one.mapId === other.mapId && Math.abs(one.x - other.x) <= tiles && Math.abs(one.y - other.y) <= tiles
}
