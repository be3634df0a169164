// Lines of the chat: messages, system lines and errors. Pure.

/** Maximum number of lines; beyond it the oldest is removed. */
const maxLines = 200

type ChatKind = "local" | "global" | "dm" | "system" | "error"

export interface ChatLine {
  readonly number: number
  readonly kind: ChatKind
  /** Sender; undefined for the system and errors. */
  readonly sender: string | undefined
  /** Recipient of a direct message by the player. */
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

/**
 * Adds lines that players have said, at the time at which they said them. A line that is there already is not added: a new session
 * brings the last lines again.
 */
export function addSaidLines(lines: readonly ChatLine[], said: readonly NewChatLine[]): readonly ChatLine[] {
  return said.reduce(
    (known, line) => (known.some((one) => isSame(one, line)) ? known : addLine(known, line)),
    lines,
  )
}

function isSame(one: ChatLine, line: NewChatLine): boolean {
  return (
    one.atMs === line.atMs && one.sender === line.sender && one.text === line.text && one.kind === line.kind
  )
}
