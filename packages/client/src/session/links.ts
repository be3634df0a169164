// The sockets of a client: one, or two while it moves to a successor. What any of them says is passed on under its
// dial number; a socket that was abandoned says nothing more. Knows no sessions.
import {
  HawserError,
  TypeTable,
  closeCode,
  createEnvelopeCodec,
  createFrameCodec,
  retryAfterClose,
  subprotocol,
} from "@hawser/protocol"
import type { ClientLimits, Codec, Connection, Dial, Profile } from "@hawser/protocol"

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
  readonly onFailed: (dial: number, error: HawserError) => void
  readonly onLost: (dial: number, lost: { code: number; error: HawserError | undefined }) => void
}

export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<number, Link>()
  readonly #retired: Link[] = []

  constructor(options: LinksOptions) {
    this.#options = options
  }

  get(dial: number): Link | undefined {
    return this.#links.get(dial)
  }

  dial(dial: number): void {
    const { profile, url, onOpened, onMessage, onDrained, onFailed, onLost } = this.#options
    const types = new TypeTable()
    let link: Link | undefined
    const connection = this.#options.dial(url, profile === "hawser.1" ? [subprotocol] : [], {
      open: () => {
        if (this.#links.has(dial)) onOpened(dial)
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
        if (link === undefined || this.#links.has(dial)) onLost(dial, { code, error: saidBefore(link, code) })
      },
    })
    const codec = this.#codec(types)
    const early: Uint8Array[] = []
    const unsaid = { saidHelloAtMs: undefined, said: undefined, retryAfterMs: undefined }
    link = { dial, connection, codec, types, welcomed: false, early, ...unsaid }
    this.#links.set(dial, link)
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

  /** Forget first, then drop the socket: nobody waits for it, and nothing of it counts. */
  abandon(dial: number): void {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    link?.connection.terminate()
  }

  /** Forget first, then close: what was sent last still arrives, and the socket ends by itself. */
  close(dial: number, reason: string): void {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    link?.connection.close(closeCode.normal, reason)
  }

  #codec(types: TypeTable): Codec {
    const { profile, limits, wallClockMs } = this.#options
    return profile === "hawser.1"
      ? createFrameCodec(types, limits.message)
      : createEnvelopeCodec({ side: "client", limits: limits.message, wallClockMs })
  }
}

/** What was announced explains a close that says no more than "later"; a final code speaks for itself. */
function saidBefore(link: Link | undefined, code: number): HawserError | undefined {
  return retryAfterClose(code) === "later" ? link?.said : undefined
}
