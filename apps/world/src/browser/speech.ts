// Sends the player's chat lines, one after another. Without a connection they wait; a rate-limited line is sent again
// after its delay. After the client's end the unsent lines are held until it connects again. Must not know how lines
// are shown.
import { HawserError } from "@hawser/client"
import type { CallOptions, ClientStatus, PendingRequest, Unsubscribe } from "@hawser/client"
import type { NewChatLine } from "./chat-log.ts"
import { patientMs } from "./patience.ts"
import { isOutcomeUnknown, reasonFor } from "./player-words.ts"
import type { Store } from "./store.ts"

export type ChatInput = {
  readonly channel: "local" | "global" | "dm"
  readonly message: string
  readonly recipient: string
}

/** Maximum number of waiting lines. Beyond it a line is refused, and an error line is added to the chat. */
export const waitingLinesMax = 32
/** Delay after an error that is retried and has no `retryAfterMs`. */
const pauseMs = 1_000

/** Lines without an outcome: waiting lines, and the line that is being sent. */
export interface Unsaid {
  readonly count: number
  /** Time at which the oldest of them was written, in milliseconds of `performance.now()`. */
  readonly sinceMs: number
}

export const nothingUnsaid: Unsaid = { count: 0, sinceMs: 0 }

/** The part of the client that sends lines. */
interface SpeakingClient {
  readonly current: Pick<ClientStatus, "state">
  command(
    name: "chatSend",
    input: Partial<ChatInput> & Pick<ChatInput, "channel" | "message">,
    options: CallOptions,
  ): Promise<{ readonly message: string }>
  pending(): readonly Pick<PendingRequest, "name" | "state">[]
  onStatus(listener: (status: ClientStatus) => unknown): Unsubscribe
}

export interface SpeechOptions {
  readonly client: SpeakingClient
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  readonly unsaid: Store<Unsaid>
}

/** Lines that an ended session or page left. */
export interface LeftLines {
  /** Not sent: they may be sent later. */
  readonly unsent: readonly ChatInput[]
  /** Sent, but not answered: it is never sent again automatically. */
  readonly uncertain: ChatInput | undefined
}

interface WaitingLine {
  readonly input: ChatInput
  readonly sinceMs: number
  /** True once a connection has taken it: its outcome is unknown until the answer. */
  wasSent: boolean
}

/**
 * `settled`: the line has its outcome. `held`: it waits until the client connects again. Otherwise the delay before the
 * next attempt.
 */
type Tried = "settled" | "held" | { readonly pauseMs: number }

export class Speech {
  readonly #options: SpeechOptions
  readonly #stopListening: Unsubscribe
  #waiting: WaitingLine[] = []
  #underWay: WaitingLine | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isStopped = false

  constructor(options: SpeechOptions) {
    this.#options = options
    this.#stopListening = options.client.onStatus(() => {
      this.#look()
      this.#sayOn()
    })
  }

  /** Returns false if the line was refused: the client has ended, or too many lines wait. */
  say(input: ChatInput): boolean {
    return !this.#isClosed && this.#add(input)
  }

  /** Sends the lines that an earlier session or page left. */
  resume({ unsent, uncertain }: LeftLines): void {
    if (uncertain !== undefined) this.#options.addTo({ kind: "error", text: leftText(uncertain) })
    for (const input of unsent) this.#add(input)
  }

  /** Returns the lines without an outcome and stops sending them. */
  setAside(): LeftLines {
    this.#look()
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uncertain = this.#underWay?.wasSent === true ? this.#underWay.input : undefined
    const inputs = this.#waiting.map(({ input }) => input)
    this.#waiting = []
    this.#underWay = undefined
    this.#show()
    return { unsent: inputs.slice(uncertain === undefined ? 0 : 1), uncertain }
  }

  /** Sets the lines aside for good. */
  stop(): LeftLines {
    this.#isStopped = true
    this.#stopListening()
    return this.setAside()
  }

  get #isClosed(): boolean {
    return this.#options.client.current.state === "closed"
  }

  #add(input: ChatInput): boolean {
    if (this.#waiting.length >= waitingLinesMax) {
      const text = `${waitingLinesMax} lines wait already: "${input.message}" was not said.`
      this.#options.addTo({ kind: "error", text })
      return false
    }
    this.#waiting.push({ input, sinceMs: performance.now(), wasSent: false })
    this.#show()
    this.#sayOn()
    return true
  }

  /** Sends the first line, unless one is being sent or its delay has not passed. */
  #sayOn(): void {
    const [first] = this.#waiting
    if (this.#underWay !== undefined || this.#timer !== undefined) return
    if (first === undefined || this.#isStopped || this.#isClosed) return
    this.#underWay = first
    const trying = trySaying(first, this.#options)
    this.#look()
    trying.then(
      (tried) => this.#tried(first, tried),
      (error: unknown) => reportError(error),
    )
  }

  #tried(line: WaitingLine, tried: Tried): void {
    // Lines that were set aside are sent by another session.
    if (this.#underWay !== line) return
    this.#underWay = undefined
    line.wasSent = false
    if (tried === "settled") this.#waiting.shift()
    this.#show()
    if (tried === "settled" || tried === "held") this.#sayOn()
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#sayOn()
      }, tried.pauseMs)
  }

  /** Notes whether a connection has taken the line that is being sent. */
  #look(): void {
    if (this.#underWay === undefined) return
    const { client } = this.#options
    if (client.pending().some(({ name, state }) => name === "chatSend" && state === "sent"))
      this.#underWay.wasSent = true
  }

  #show(): void {
    const [oldest] = this.#waiting
    const count = this.#waiting.length
    this.#options.unsaid.set(oldest === undefined ? nothingUnsaid : { count, sinceMs: oldest.sinceMs })
  }
}

async function trySaying(
  line: WaitingLine,
  { client, addTo }: Pick<SpeechOptions, "client" | "addTo">,
): Promise<Tried> {
  const { channel, message, recipient } = line.input
  try {
    const input = channel === "dm" ? { channel, message, recipient } : { channel, message }
    const said = await client.command("chatSend", input, { timeoutMs: patientMs })
    // The server sends a direct message to its recipient only.
    if (channel === "dm") addTo({ kind: "dm", recipient, text: said.message })
    return "settled"
  } catch (error) {
    const next = nextAttempt(error, line.wasSent, client.current.state)
    if (next === "settled") addTo({ kind: "error", text: unsaidText(message, error) })
    return next
  }
}

/** Decides about a line after an error. A line that may have been said is never sent again. */
function nextAttempt(error: unknown, wasSent: boolean, state: ClientStatus["state"]): Tried {
  if (!HawserError.is(error)) return "settled"
  switch (error.code) {
    case "rate_limited":
    case "buffer_full":
      return { pauseMs: error.retryAfterMs ?? pauseMs }
    case "timeout":
      // The time limit of a line that no connection has taken says nothing about it.
      if (!wasSent) return { pauseMs: 0 }
      return "settled"
    default:
      return state === "closed" && !isOutcomeUnknown(error) ? "held" : "settled"
  }
}

function unsaidText(message: string, error: unknown): string {
  return isOutcomeUnknown(error)
    ? `It is unknown whether "${message}" was said. ${reasonFor(error)}`
    : `"${message}" was not said. ${reasonFor(error)}`
}

/** Names a line that was being said when its session or page ended. */
function leftText({ message }: ChatInput): string {
  return `It is unknown whether "${message}" was said. The page or your log-in ended before the world's answer.`
}
