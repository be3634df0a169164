// The lines of the chat: what was said, what the system tells, what went wrong. Pure.

/** Lines kept; beyond it the oldest go. */
const maxLines = 200

type ChatKind = "local" | "global" | "dm" | "system" | "error"

export interface ChatLine {
  readonly number: number
  readonly kind: ChatKind
  /** Who said it; undefined for the system and errors. */
  readonly sender: string | undefined
  /** To whom the own direct message went. */
  readonly recipient: string | undefined
  readonly text: string
  readonly atMs: number
}

export type NewChatLine = Pick<ChatLine, "kind" | "text" | "atMs"> &
  Partial<Pick<ChatLine, "sender" | "recipient">>

export function addLine(lines: readonly ChatLine[], line: NewChatLine): readonly ChatLine[] {
  const number = (lines.at(-1)?.number ?? 0) + 1
  return [...lines.slice(1 - maxLines), { sender: undefined, recipient: undefined, ...line, number }]
}
