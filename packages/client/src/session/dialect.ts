// Port of a wire profile at the client: the rules in which profiles differ, as values and functions of values. Chosen once,
// at `createClient`. Must not know the supervisor, listeners or topics.
import type { ClientLimits } from "@hawser/protocol"
import type { ClientCodec, EventFrame, TypeTable, WelcomeFrame, WireError } from "@hawser/protocol/core"
import type { ClientSession, ClientSessionOptions } from "./client-session.ts"

/** Dependencies of a codec. */
interface CodecOptions {
  /** The server's table of type names; empty before WELCOME. */
  readonly types: TypeTable
  /** Limits of the client: `message` bounds its reader, `serverMessage` its writer before WELCOME. */
  readonly limits: ClientLimits
  /** Wall-clock milliseconds since 1970. */
  readonly wallClockMs: () => number
}

/** Meaning of a message that arrives before the session is open. */
export type Opening =
  | {
      /** Kind of the message: WELCOME, which opens the session. */
      readonly kind: "welcome"
      /** The WELCOME frame. */
      readonly welcome: WelcomeFrame
      /** Event that WELCOME carries; undefined: none. */
      readonly event: EventFrame | undefined
    }
  | {
      /** Kind of the message: a refusal of the log-in. */
      readonly kind: "refused"
      /** Error of the refusal. */
      readonly error: WireError
    }
  | {
      /** Kind of the message: BUSY. */
      readonly kind: "busy"
      /** Least delay before the next dial, in milliseconds. */
      readonly retryAfterMs: number
    }
  | {
      /** Kind of the message: any other one. It is decoded after WELCOME, in order of arrival. */
      readonly kind: "early"
    }

export interface Dialect {
  /** WebSocket subprotocols that a dial offers. */
  readonly subprotocols: readonly string[]
  /** True if the client probes a silent connection with PING. */
  readonly hasHeartbeat: boolean
  /** Effect of a message that cannot be read: `reset` ends the session, `report` only calls `onError`. */
  readonly onBadFrame: "reset" | "report"
  /** Message of the error `not_available` for every request of a topic; undefined: topics are available. */
  readonly topicsRefusal: string | undefined
  /** Events that a contract need not declare. Other undeclared events are counted. */
  readonly optionalEvents: ReadonlySet<string>
  /** Returns the codec of a connection before WELCOME. */
  createCodec(options: CodecOptions): ClientCodec
  /** Returns the codec of a new session. It applies the server's limits if WELCOME names them. */
  sessionCodec(before: ClientCodec, options: CodecOptions, welcome: WelcomeFrame): ClientCodec
  /** Reads a message that arrives before the session is open. */
  readOpening(codec: ClientCodec, bytes: Uint8Array): Opening
  /** Creates the session that WELCOME opens. */
  createSession(options: ClientSessionOptions): ClientSession
}
