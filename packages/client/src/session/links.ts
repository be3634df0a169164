// The sockets of a client: one, or two while it moves to a successor. What any of them says is passed on under its
// dial number; a socket that was abandoned says nothing more. Knows no sessions.
import { HawserError } from "@hawser/protocol"
import {
  TypeTable,
  closeCode,
  createEnvelopeCodec,
  createFrameCodec,
  retryAfterClose,
  subprotocol,
} from "@hawser/protocol/core"
import type { ClientLimits } from "@hawser/protocol"
import type { Codec, Connection, Dial, DialFailure, Profile } from "@hawser/protocol/core"
import { showHint } from "../base/report.ts"
import { dialError, refusedDial } from "../port/dial-error.ts"
import { dialHint } from "../port/dial-hint.ts"

export interface Link {
  readonly dial: number
  readonly connection: Connection
  readonly types: TypeTable
  /** The session's own once it is welcomed: the table of types belongs to the session. */
  codec: Codec
  welcomed: boolean
  /** What came before WELCOME, in order. */
  readonly early: Uint8Array[]
  /** When HELLO was sent; undefined before. */
  saidHelloAtMs: number | undefined
  /** What the server said before it closed. */
  said: HawserError | undefined
  retryAfterMs: number | undefined
  readonly seen: DialSeen
}

/** Events of a dial so far. */
interface DialSeen {
  isOpen: boolean
  isClosed: boolean
  failure: DialFailure | undefined
}

export interface LinksOptions {
  readonly url: string
  readonly profile: Profile
  readonly dial: Dial
  readonly limits: ClientLimits
  readonly wallClockMs: () => number
  readonly onOpened: (dial: number) => void
  readonly onMessage: (link: Link, bytes: Uint8Array) => void
  readonly onDrained: (link: Link) => void
  /** The transport threw; the attempt has failed as well. */
  readonly onError: (error: unknown) => void
  readonly onFailed: (dial: number, error: HawserError) => void
  readonly onLost: (dial: number, lost: { code: number; error: HawserError | undefined }) => void
}

export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<number, Link>()
  readonly #retired: Link[] = []
  /** True once a socket was open, so that the address is right, or once the hint was shown. */
  #needsNoHint = false
  /** True after a dial that threw, until one does not: so an outage is reported once. */
  #hasThrown = false

  constructor(options: LinksOptions) {
    this.#options = options
  }

  get(dial: number): Link | undefined {
    return this.#links.get(dial)
  }

  dial(dial: number): void {
    const { onFailed, onError } = this.#options
    try {
      this.#dial(dial)
      this.#hasThrown = false
    } catch (cause) {
      const error = refusedDial(this.#options.url, cause)
      if (!this.#hasThrown) onError(error)
      this.#hasThrown = true
      onFailed(dial, error)
    }
  }

  #dial(dial: number): void {
    const { profile, url, onOpened, onMessage, onDrained, onFailed, onLost } = this.#options
    const types = new TypeTable()
    let link: Link | undefined
    const seen: DialSeen = { isOpen: false, isClosed: false, failure: undefined }
    const connection = this.#options.dial(url, profile === "hawser.1" ? [subprotocol] : [], {
      open: () => {
        seen.isOpen = true
        this.#needsNoHint = true
        if (this.#links.has(dial)) onOpened(dial)
      },
      failed: (failure) => {
        seen.failure = failure
      },
      message: (bytes) => {
        if (link !== undefined && this.#links.has(dial)) onMessage(link, bytes)
      },
      text: () => {
        if (!this.#links.has(dial)) return
        const message = "the server sent text"
        onFailed(dial, new HawserError("sys_invalid_message", { message, retry: "later" }))
      },
      drained: () => {
        if (link !== undefined && this.#links.has(dial)) onDrained(link)
      },
      pong: () => {},
      closed: (code) => {
        // A transport may fail before it has returned; one that was given up says nothing.
        seen.isClosed = true
        if (link !== undefined && !this.#links.has(dial)) return
        const { isOpen, failure } = seen
        this.#hintAt(seen)
        onLost(dial, { code, error: isOpen ? saidBefore(link, code) : dialError(url, code, failure) })
      },
    })
    const codec = this.#codec(types)
    const early: Uint8Array[] = []
    const unsaid = { saidHelloAtMs: undefined, said: undefined, retryAfterMs: undefined }
    link = { dial, connection, codec, types, welcomed: false, early, ...unsaid, seen }
    if (!seen.isClosed) this.#links.set(dial, link)
  }

  /**
   * Forgets a socket that its successor is about to replace: the server hears of the successor first, and closes it.
   * Dropped with `dropRetired` at the latest.
   */
  retire(dial: number): void {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    if (link !== undefined) this.#retired.push(link)
  }

  dropRetired(): void {
    for (const { connection } of this.#retired.splice(0)) connection.terminate()
  }

  /**
   * Forgets a socket first and drops it then: its later events have no effect.
   * @param hasFailed false where the application gave it up.
   */
  abandon(dial: number, hasFailed: boolean): void {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    if (link === undefined) return
    if (hasFailed) this.#hintAt(link.seen)
    link.connection.terminate()
  }

  /** Forget first, then close: what was sent last still arrives, and the socket ends by itself. */
  close(dial: number, reason: string): void {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    link?.connection.close(closeCode.normal, reason)
  }

  /** Shows the hint for a dial that failed without a known cause, once, and not after a socket was open. */
  #hintAt({ isOpen, failure }: DialSeen): void {
    if (isOpen || failure !== undefined) return
    const hint = this.#needsNoHint ? undefined : dialHint(this.#options.url)
    this.#needsNoHint = true
    if (hint !== undefined) showHint(hint)
  }

  #codec(types: TypeTable): Codec {
    const { profile, limits, wallClockMs } = this.#options
    return profile === "hawser.1"
      ? createFrameCodec(types, limits.message, limits.serverMessage)
      : createEnvelopeCodec({
          side: "client",
          limits: limits.message,
          writes: limits.serverMessage,
          wallClockMs,
        })
  }
}

/** What was announced explains a close that says no more than "later"; a final code speaks for itself. */
function saidBefore(link: Link | undefined, code: number): HawserError | undefined {
  return retryAfterClose(code) === "later" ? link?.said : undefined
}
