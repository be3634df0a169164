// Identity of a client: the source of its tokens, and its id. Knows no connections.
import { HawserError } from "@hawser/protocol"
import { isWellFormed } from "@hawser/protocol/core"
import { describeValue } from "../base/injected.ts"
import { describeCause } from "../base/report.ts"

export interface TokenContext {
  /** Why the last token was refused; undefined for the first one. Returning the same token again ends the attempts. */
  readonly refused: HawserError | undefined
}

export type TokenSource = string | ((context: TokenContext) => string | Promise<string>)

export class Tokens {
  readonly #onError: (error: unknown) => void
  #source: TokenSource
  /** Last fault of the token function that was reported. */
  reported: HawserError | undefined
  /** True after a fault of the token function, until it returns a token: an outage is reported once. */
  #hasFailed = false

  constructor(source: TokenSource, onError: (error: unknown) => void) {
    this.#onError = onError
    this.#source = source
  }

  /** True for the current source: the same text, or the same function. */
  isSource(source: TokenSource): boolean {
    return source === this.#source
  }

  /** Returns false for the current source. */
  replace(source: TokenSource): boolean {
    const isOther = !this.isSource(source)
    this.#source = source
    return isOther
  }

  /**
   * A token for an attempt, or the error that the attempt fails with. Reports a fault of the token function. Never answers
   * within the same turn: a step must have ended before the next one.
   */
  async get(refused: HawserError | undefined): Promise<string | HawserError> {
    const got = await this.#call(refused)
    if (typeof got === "string") {
      this.#hasFailed = false
      return got
    }
    if (got.isFault && !this.#hasFailed) {
      this.reported = got.error
      this.#onError(got.error)
    }
    this.#hasFailed = got.isFault
    return got.error
  }

  /** A fresh token for an open connection, or an error that the caller reports. */
  async renew(): Promise<string | HawserError> {
    const got = await this.#call(undefined)
    return typeof got === "string" ? got : got.error
  }

  async #call(
    refused: HawserError | undefined,
  ): Promise<string | { readonly error: HawserError; readonly isFault: boolean }> {
    const source = this.#source
    const isFunction = typeof source === "function"
    try {
      const token: unknown = await (isFunction ? source({ refused }) : source)
      if (typeof token === "string" && token !== "" && isWellFormed(token)) return token
      const subject = isFunction ? "the token function returned" : "the token is"
      const message = `${subject} ${describeToken(token)}: log in first, then call connect()`
      // Final: the function would return it again, and no server takes it.
      return { error: new HawserError("auth_token_invalid", { message, retry: "never" }), isFault: true }
    } catch (cause) {
      if (HawserError.is(cause)) return { error: cause, isFault: false }
      const message = `the token function failed: ${describeCause(cause)}`
      return { error: new HawserError("sys_service_unavailable", { message, cause }), isFault: true }
    }
  }
}

function describeToken(token: unknown): string {
  if (typeof token !== "string") return `${describeValue(token)}, not a text`
  return token === "" ? "an empty text" : "text with half a surrogate pair"
}

/** Not secret: it only has to differ from the ids of the same user's other clients. */
export function randomClientId(random: () => number): string {
  const part = (): string => Math.floor(random() * 2 ** 32).toString(36)
  return part() + part()
}
