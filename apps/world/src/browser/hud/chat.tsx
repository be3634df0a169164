// Chat: its lines, and the input line.
import { hasConnection } from "../connection-view.ts"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { RefObject, TargetedSubmitEvent } from "preact"
import { chatInputMaxLength } from "../../contract.ts"
import type { ChatLine } from "../chat-log.ts"
import type { Draft } from "../draft.ts"
import type { Session } from "../session.ts"
import type { ChatInput } from "../speech.ts"
import { useStore } from "../store.ts"

const channelTitles: Readonly<Record<ChatInput["channel"], string>> = {
  local: "Local",
  global: "Global",
  dm: "Direct",
}

const hasKeyboard = matchMedia("(pointer: fine)").matches

export interface ChatProps {
  readonly session: Session
  /** The line that is being written. */
  readonly draft: Draft
  readonly input: RefObject<HTMLInputElement | null>
}

export function Chat({ session, draft, input }: ChatProps) {
  const line = useStore(draft.line)
  const channels = useStore(session.channels)
  const { recipient, message } = line
  // The kept line of a player who has lost a role.
  const channel = channels.includes(line.channel) ? line.channel : "local"
  const change = (part: Partial<ChatInput>): void => draft.line.set({ ...draft.line.value, ...part })

  function send(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault()
    if (message.trim() === "") {
      input.current?.blur()
      return
    }
    // A refused line stays in the input.
    if (session.speech.say({ channel, message, recipient: recipient.trim() })) change({ message: "" })
  }

  return (
    <section class="chat panel" aria-label="Chat">
      <Log session={session} />
      <Unsaid session={session} />
      <form onSubmit={send} onKeyDown={(event) => event.key === "Escape" && blurFocused()}>
        <Channels channels={channels} line={{ ...line, channel }} change={change} />
        <div class="chat-message">
          <input
            ref={input}
            data-testid="chat-input"
            class="chat-input"
            placeholder={hasKeyboard ? "Press Enter to talk" : "Say something"}
            aria-label="Message"
            autocomplete="off"
            enterkeyhint="send"
            maxLength={chatInputMaxLength}
            value={message}
            onInput={(event) => change({ message: event.currentTarget.value })}
          />
          <button data-testid="chat-send" type="submit">
            Send
          </button>
        </div>
      </form>
    </section>
  )
}

interface ChannelsProps {
  readonly channels: readonly ChatInput["channel"][]
  readonly line: ChatInput
  readonly change: (part: Partial<ChatInput>) => void
}

/** Channel of the line, and recipient of a direct message. */
function Channels({ channels, line: { channel, recipient }, change }: ChannelsProps) {
  return (
    <div class="chat-channels" role="group" aria-label="Channel">
      {channels.map((name) => (
        <button
          key={name}
          type="button"
          data-testid={`chat-channel-${name}`}
          data-kind={name}
          aria-pressed={channel === name}
          onClick={() => change({ channel: name })}
        >
          {channelTitles[name]}
        </button>
      ))}
      {channel === "dm" && (
        <input
          data-testid="chat-recipient"
          class="chat-recipient"
          placeholder="to whom"
          aria-label="Recipient"
          autocapitalize="none"
          spellcheck={false}
          maxLength={50}
          required
          value={recipient}
          onInput={(event) => change({ recipient: event.currentTarget.value })}
        />
      )}
    </div>
  )
}

function Log({ session }: { readonly session: Session }) {
  const lines = useStore(session.lines)
  const log = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const showEnd = (): void => {
    if (log.current !== null && isAtEnd.current) log.current.scrollTop = log.current.scrollHeight
  }
  useLayoutEffect(showEnd, [lines])
  useEffect(() => {
    window.addEventListener("resize", showEnd)
    return () => window.removeEventListener("resize", showEnd)
  }, [])
  return (
    <div
      ref={log}
      class="chat-log"
      data-testid="chat-log"
      role="log"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24
      }}
    >
      {lines.map((line) => (
        <Line key={line.number} line={line} />
      ))}
    </div>
  )
}

/**
 * Lines that the server has not confirmed. Shown without a connection, and on an open one after `momentMs`. After the
 * client's end it names the button that connects again, which no line does by itself.
 */
function Unsaid({ session }: { readonly session: Session }) {
  const { count, sinceMs } = useStore(session.unsaid)
  const { status } = useStore(session.connection)
  const isLong = useIsPast(count === 0 ? undefined : sinceMs + momentMs)
  const isOpen = hasConnection(status)
  const isClosed = status.state === "closed"
  if ((count === 0 && !isClosed) || (isOpen && !isLong)) return null
  const lines = count === 1 ? "1 line waits" : `${count} lines wait`
  return (
    <p class="unsaid" data-testid="chat-unsaid" role="status">
      {count > 0 &&
        `${lines} ${isOpen ? "to be said" : isClosed ? "for “Play here”." : "for the connection"} `}
      {isClosed && "Nothing can be said here until you choose “Play here”."}
    </p>
  )
}

/** Time in which an open connection normally confirms a line, in milliseconds. */
const momentMs = 1_000

/** Returns true from `atMs` on, in milliseconds of `performance.now()`. */
function useIsPast(atMs: number | undefined): boolean {
  const [pastMs, setPastMs] = useState<number>()
  useEffect(() => {
    if (atMs === undefined) return undefined
    const timer = setTimeout(() => setPastMs(atMs), Math.max(0, atMs - performance.now()))
    return () => clearTimeout(timer)
  }, [atMs])
  return atMs !== undefined && (pastMs === atMs || performance.now() >= atMs)
}

function Line({ line: { kind, sender, recipient, text, atMs } }: { readonly line: ChatLine }) {
  return (
    <p data-kind={kind}>
      <time dateTime={new Date(atMs).toISOString()}>{clock.format(atMs)}</time>{" "}
      {recipient !== undefined && <b>to {recipient}: </b>}
      {sender !== undefined && <b>{sender}: </b>}
      <span>{text}</span>
    </p>
  )
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })

function blurFocused(): void {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
}
