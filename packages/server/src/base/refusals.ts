// Reports refused log-ins to the application: each cause once per minute, with the number since, because any stranger can cause
// them. Must not know connections.
import { HawserError } from "@hawser/protocol"
import { RepeatLimit } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import type { WireError } from "@hawser/protocol/core"

/** Argument of `onRefused`: a refused log-in, or a refused fresh token of a session. */
export interface LoginRefusal {
  /** Error code that the client got. */
  readonly code: string
  /** Sentence that the client got. */
  readonly message: string
  /** The `cause` of the error, which the client did not get; undefined: none. `jwt()` names the part of the token that it refused. */
  readonly cause: unknown
  /** Address of the connection, as the connection caps count it. */
  readonly address: string
  /** Id of the user, if the token was verified before; otherwise undefined. */
  readonly userId: string | undefined
  /** Number of refusals with this code and cause since the last call, this one included. */
  readonly count: number
}

export class Refusals {
  readonly #limit = new RepeatLimit({ perMinute: 1 })
  readonly #clock: Pick<Clock, "now">
  readonly #onRefused: (refusal: LoginRefusal) => void

  constructor(clock: Pick<Clock, "now">, onRefused: (refusal: LoginRefusal) => void) {
    this.#clock = clock
    this.#onRefused = onRefused
  }

  /** Reports a refusal, or counts it. @param error of the hook or of the server; its `cause` is not sent to the client. */
  add(
    sent: Pick<WireError, "code" | "message">,
    error: unknown,
    from: Pick<LoginRefusal, "address" | "userId">,
  ): void {
    const cause = HawserError.is(error) ? error.cause : error
    const count = this.#limit.count(`${sent.code}\n${kindOf(cause)}`, this.#clock.now())
    if (count > 0) this.#onRefused({ code: sent.code, message: sent.message, cause, ...from, count })
  }
}

/** Numbers and quoted texts of a sentence: values of one log-in, such as the expiry of its token. */
const values = /"(?:[^"\\]|\\.)*"|\d+/g

/** Returns the message of a cause without the values, cut: log-ins with the same fault have the same kind. */
function kindOf(cause: unknown): string {
  return cause instanceof Error ? String(cause.message).slice(0, 200).replace(values, "") : ""
}
