// Sends the player's chat lines, one after another. Without a connection they wait; a rate-limited line is sent again
// after its delay. Must not know how lines are shown.
import { HawserError } from "@hawser/client"
import type { Client } from "@hawser/client"
import type { WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { patientMs } from "./patience.ts"
import type { Store } from "./store.ts"

export type ChatInput = {
  readonly channel: "local" | "global" | "dm"
  readonly message: string
  readonly recipient: string
}

/** Maximum number of waiting lines. Beyond it a line is refused, and an error line is added to the chat. */
const maxWaiting = 32
/** Delay after `rate_limited` without a `retryAfterMs`. */
const pauseMs = 1_000

/** Lines without an outcome: waiting lines, and the line that is being sent. */
export interface Unsaid {
  readonly count: number
  /** Time at which the oldest of them was written, in milliseconds of `performance.now()`. */
  readonly sinceMs: number
}

export const nothingUnsaid: Unsaid = { count: 0, sinceMs: 0 }

export interface SpeechOptions {
  readonly client: Client<WorldContract>
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  readonly unsaid: Store<Unsaid>
}

/** Lines that an ended session left. */
export interface LeftLines {
  /** Not sent: they may be sent later. */
  readonly unsent: readonly ChatInput[]
  /** Sent, but not answered: it is never sent again automatically. */
  readonly uncertain: ChatInput | undefined
}

export interface Speech {
  say(input: ChatInput): void
  /** Sends the lines that an earlier session left. */
  resume(left: LeftLines): void
  stop(): LeftLines
}

export function createSpeech({ client, addTo, unsaid }: SpeechOptions): Speech {
  const waiting: { readonly input: ChatInput; readonly sinceMs: number }[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let isSpeaking = false
  let isStopped = false

  async function sayNext(): Promise<void> {
    timer = undefined
    const [first] = waiting
    isSpeaking = first !== undefined
    if (first === undefined) return
    const pauseForMs = await trySaying(first.input, { client, addTo })
    if (isStopped) return
    if (pauseForMs === 0) waiting.shift()
    show()
    if (pauseForMs === 0) sayOn()
    else timer = setTimeout(sayOn, pauseForMs)
  }

  function show(): void {
    const [oldest] = waiting
    unsaid.set(oldest === undefined ? nothingUnsaid : { count: waiting.length, sinceMs: oldest.sinceMs })
  }

  function sayOn(): void {
    sayNext().catch((error: unknown) => reportError(error))
  }

  function say(input: ChatInput): void {
    if (waiting.length >= maxWaiting) {
      addTo({ kind: "error", text: `${maxWaiting} lines wait already: "${input.message}" was not said.` })
      return
    }
    waiting.push({ input, sinceMs: performance.now() })
    show()
    if (!isSpeaking) sayOn()
  }

  return {
    say,
    resume({ unsent, uncertain }) {
      if (uncertain !== undefined) addTo({ kind: "error", text: uncertainText(uncertain.message) })
      for (const input of unsent) say(input)
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
      // Between two attempts, and until a connection takes it, the first line counts as unsent.
      const isUnderWay = isSpeaking && timer === undefined
      const isQueued = client.pending().some(({ name, state }) => name === "chatSend" && state === "waiting")
      const inputs = waiting.map(({ input }) => input)
      const uncertain = isUnderWay && !isQueued ? inputs[0] : undefined
      const unsent = inputs.slice(uncertain === undefined ? 0 : 1)
      waiting.length = 0
      return { unsent, uncertain }
    },
  }
}

/**
 * Sends one line. Resolves to the delay before the next attempt with the same line, in milliseconds; 0: the line is
 * settled.
 */
async function trySaying(
  { channel, message, recipient }: ChatInput,
  { client, addTo }: Pick<SpeechOptions, "client" | "addTo">,
): Promise<number> {
  try {
    const input = channel === "dm" ? { channel, message, recipient } : { channel, message }
    const said = await client.command("chatSend", input, { timeoutMs: patientMs })
    // The server sends a direct message to its recipient only.
    if (channel === "dm") addTo({ kind: "dm", recipient, text: said.message })
    return 0
  } catch (error) {
    if (HawserError.is(error) && error.code === "rate_limited") return error.retryAfterMs ?? pauseMs
    addTo({ kind: "error", text: unsaidText(message, error) })
    return 0
  }
}

function uncertainText(message: string): string {
  return `The connection was away for too long: it is unknown whether "${message}" was said.`
}

/**
 * Returns the error line for the chat. A line with an unknown outcome is never sent again automatically: the player
 * decides.
 */
function unsaidText(message: string, error: unknown): string {
  if (!HawserError.is(error)) return String(error)
  switch (error.code) {
    case "connection_lost":
    case "timeout":
      return uncertainText(message)
    case "client_closed":
    case "not_connected":
      return `Not connected: "${message}" was not said.`
    default:
      return error.message
  }
}
