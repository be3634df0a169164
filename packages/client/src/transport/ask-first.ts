// Keeps the number of failed WebSockets low in a browser that delays later ones. Firefox delays the next WebSocket to a host
// by 0.3 s after a failed one, by half as much again after each further one, and by 60 s at most; HTTP requests are neither
// delayed nor counted. After three failed dials in a row, a dial sends an HTTP request first and fails if it gets no answer.
// Must not know sessions or the supervisor.
import type { Clock } from "@hawser/protocol"
import type { Connection, Dial, DialEvents } from "@hawser/protocol/core"

/** Resolves to false if nothing answers at the address; to true if something answers, or if that is unknown. */
export type Ask = (url: string, signal: AbortSignal) => Promise<boolean>

export interface AskFirstOptions {
  readonly clock: Clock
  /** Undefined if the browser does not delay dials. */
  readonly ask: Ask | undefined
}

/** Failed dials in a row before a dial sends an HTTP request first. Firefox then delays a WebSocket by about a second. */
const boldDials = 3
/**
 * Time since the last failed WebSocket after which a dial sends no request first, in milliseconds: a network may block HTTP and
 * allow WebSockets. Firefox forgets the failures of a host within this time, so the delay does not grow.
 */
const dialAnywayMs = 120_000

const noConnection = 1006

/** Returns a dial that sends an HTTP request first after three failed dials in a row. */
export function askFirst(dial: Dial, { clock, ask }: AskFirstOptions): Dial {
  if (ask === undefined) return dial
  let failures = 0
  let failedAtMs = 0
  const dialNow: Dial = (url, protocols, events) => {
    let isOpen = false
    return dial(url, protocols, {
      ...events,
      open(protocol) {
        isOpen = true
        failures = 0
        events.open(protocol)
      },
      closed(code, reason) {
        if (!isOpen) {
          failures += 1
          failedAtMs = clock.now()
        }
        events.closed(code, reason)
      },
    })
  }
  return (url, protocols, events) => {
    const mustAsk = failures >= boldDials && clock.now() - failedAtMs < dialAnywayMs
    if (!mustAsk) return dialNow(url, protocols, events)
    const asking = new AskingConnection(events, () => dialNow(url, protocols, events))
    asking.start((signal) => ask(url, signal))
    return asking
  }
}

/** Sends the HTTP request, then dials and delegates to the dialled connection. Ends with 1006 if nothing answers. */
class AskingConnection implements Connection {
  readonly #events: DialEvents
  readonly #dial: () => Connection
  readonly #asking = new AbortController()
  #dialled: Connection | undefined
  #hasEnded = false

  constructor(events: DialEvents, dial: () => Connection) {
    this.#events = events
    this.#dial = dial
  }

  start(ask: (signal: AbortSignal) => Promise<boolean>): void {
    ask(this.#asking.signal).then(
      (answers) => this.#answered(answers),
      () => this.#answered(false),
    )
  }

  get bufferedBytes(): number {
    return this.#dialled?.bufferedBytes ?? 0
  }

  send(message: Parameters<Connection["send"]>[0]): boolean {
    return this.#dialled?.send(message) ?? false
  }

  close(code: number, reason: string): void {
    if (this.#dialled === undefined) this.#end()
    else this.#dialled.close(code, reason)
  }

  terminate(): void {
    if (this.#dialled === undefined) this.#end()
    else this.#dialled.terminate()
  }

  pause(): void {
    this.#dialled?.pause()
  }

  resume(): void {
    this.#dialled?.resume()
  }

  #answered(answers: boolean): void {
    if (this.#hasEnded) return
    if (!answers) {
      this.#end(new Error("nothing answers there by HTTP either"))
      return
    }
    try {
      this.#dialled = this.#dial()
    } catch (cause) {
      this.#end(cause)
    }
  }

  #end(cause?: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (cause !== undefined) this.#events.failed?.({ cause })
    this.#asking.abort()
    this.#events.closed(noConnection, "")
  }
}
