// The sockets of a client: one, or two while it moves to another connection. Steps the supervisor under their dial number.
// Ignores events of an abandoned socket. Must not know sessions or a wire profile.
import { HawserError } from "@hawser/protocol"
import { TypeTable, closeCode, retryAfterClose } from "@hawser/protocol/core"
import type { ClientCodec, Connection, DialFailure } from "@hawser/protocol/core"
import { showHint } from "../base/report.ts"
import { dialError, dialHint, refusedDial } from "../port/dial-error.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import type { Supervisor } from "./supervisor.ts"

export interface Link {
  readonly dial: number
  readonly connection: Connection
  readonly types: TypeTable
  /** Codec before WELCOME. */
  readonly codec: ClientCodec
  welcomed: boolean
  /** Messages that arrived before WELCOME, in order. */
  readonly early: Uint8Array[]
  /** Time of HELLO; undefined before. */
  helloAtMs: number | undefined
  /** Error from the server's GOAWAY or BUSY. It explains a later close. */
  announced: HawserError | undefined
  /** Reconnection delay from BUSY, in milliseconds. */
  retryAfterMs: number | undefined
  readonly seen: DialSeen
}

/** Events of a dial until now. */
interface DialSeen {
  isOpen: boolean
  isClosed: boolean
  failure: DialFailure | undefined
}

/** `onError` is called when the transport throws. The attempt fails as well. */
export interface LinksOptions extends Pick<
  RunClientOptions,
  "url" | "dialect" | "dial" | "limits" | "wallClockMs" | "onError"
> {
  readonly supervisor: Supervisor
  readonly onMessage: (link: Link, bytes: Uint8Array) => void
  readonly onDrained: (link: Link) => void
}

export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<number, Link>()
  readonly #retired: Link[] = []
  /** True after a socket was open, which proves the address, and after the hint was shown. */
  #needsNoHint = false
  /** True from a dial that threw to the next one that does not: an outage is reported once. */
  #hasThrown = false

  constructor(options: LinksOptions) {
    this.#options = options
  }

  get(dial: number): Link | undefined {
    return this.#links.get(dial)
  }

  dial(dial: number): void {
    const { onError, supervisor } = this.#options
    try {
      this.#dial(dial)
      this.#hasThrown = false
    } catch (cause) {
      const error = refusedDial(this.#options.url, cause)
      if (!this.#hasThrown) onError(error)
      this.#hasThrown = true
      supervisor.step({ kind: "failed", dial, error })
    }
  }

  #dial(dial: number): void {
    const { dialect, limits, supervisor, url, wallClockMs, onMessage, onDrained } = this.#options
    const types = new TypeTable()
    let link: Link | undefined
    const seen: DialSeen = { isOpen: false, isClosed: false, failure: undefined }
    const connection = this.#options.dial(url, dialect.subprotocols, {
      open: () => {
        seen.isOpen = true
        this.#needsNoHint = true
        if (this.#links.has(dial)) supervisor.step({ kind: "opened", dial })
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
        const error = new HawserError("sys_invalid_message", { message, retry: "later" })
        supervisor.step({ kind: "failed", dial, error })
      },
      drained: () => {
        if (link !== undefined && this.#links.has(dial)) onDrained(link)
      },
      pong: () => {},
      closed: (code) => {
        // A transport may fail before it returns. Events of an abandoned socket are ignored.
        seen.isClosed = true
        if (link !== undefined && !this.#links.has(dial)) return
        const { isOpen, failure } = seen
        this.#hintAt(seen)
        const error = isOpen ? announcedError(link, code) : dialError(url, code, failure)
        supervisor.step({ kind: "lost", dial, code, error })
      },
    })
    const codec = dialect.createCodec({ types, limits, wallClockMs })
    link = {
      dial,
      connection,
      types,
      codec,
      welcomed: false,
      early: [],
      helloAtMs: undefined,
      announced: undefined,
      retryAfterMs: undefined,
      seen,
    }
    if (!seen.isClosed) this.#links.set(dial, link)
  }

  /**
   * Removes a socket that the next connection replaces. The server closes it after HELLO of the next connection;
   * `dropRetired` terminates it at the latest.
   */
  retire(dial: number): void {
    const link = this.#remove(dial)
    if (link !== undefined) this.#retired.push(link)
  }

  dropRetired(): void {
    for (const { connection } of this.#retired.splice(0)) connection.terminate()
  }

  /**
   * Removes a socket, then terminates it: its later events have no effect.
   * @param hasFailed false if the application closed the client.
   */
  abandon(dial: number, hasFailed: boolean): void {
    const link = this.#remove(dial)
    if (link === undefined) return
    if (hasFailed) this.#hintAt(link.seen)
    link.connection.terminate()
  }

  /** Removes a socket, then closes it: messages already sent still arrive. */
  close(dial: number, reason: string): void {
    this.#remove(dial)?.connection.close(closeCode.normal, reason)
  }

  #remove(dial: number): Link | undefined {
    const link = this.#links.get(dial)
    this.#links.delete(dial)
    return link
  }

  /** Shows the hint for a dial that failed without a known cause; once, and not after a socket was open. */
  #hintAt({ isOpen, failure }: DialSeen): void {
    if (isOpen || failure !== undefined) return
    const hint = this.#needsNoHint ? undefined : dialHint(this.#options.url)
    this.#needsNoHint = true
    if (hint !== undefined) showHint(hint)
  }
}

/** Returns the error that the server announced, for a close code that means only "later". A final code is its own cause. */
function announcedError(link: Link | undefined, code: number): HawserError | undefined {
  return retryAfterClose(code) === "later" ? link?.announced : undefined
}
