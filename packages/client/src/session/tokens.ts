// Identity of a client: its token source, and its id. Must not know connections.
import { HawserError } from "@hawser/protocol"
import { isWellFormed } from "@hawser/protocol/core"
import { describeValue } from "../base/injected.ts"
import { describeCause } from "../base/report.ts"

/** Argument of a token function. */
export interface TokenContext {
  /** Error of the last refused token; undefined: none. If the function returns a refused token again, the client closes. */
  readonly refused: HawserError | undefined
}

/** A token, or a function that returns a token or a promise of one. */
export type TokenSource = string | ((context: TokenContext) => string | Promise<string>)

export class Tokens {
  readonly #onError: (error: unknown) => void
  #source: TokenSource
  /** Error of a token function that will return the same value again: it closes the client. */
  finalFault: HawserError | undefined
  /** True from a fault of the token function until it returns a token: an outage is reported once. */
  #hasFailed = false

  constructor(source: TokenSource, onError: (error: unknown) => void) {
    this.#onError = onError
    this.#source = source
  }

  /** Returns true for the current source: the same text, or the same function. */
  isSource(source: TokenSource): boolean {
    return source === this.#source
  }

  /** Replaces the source. Returns false for the current one. */
  replace(source: TokenSource): boolean {
    const isOther = !this.isSource(source)
    this.#source = source
    return isOther
  }

  /**
   * Returns a token for an attempt, or the error of the attempt. Reports a fault of the token function, unless it is final: then
   * the client closes with it, and `connect()` rejects with it. Resolves in a later
   * turn, because the machine's step must end first.
   */
  async get(refused: HawserError | undefined): Promise<string | HawserError> {
    const got = await this.#call(refused)
    if (typeof got === "string") {
      this.#hasFailed = false
      return got
    }
    if (got.error.retry === "never") this.finalFault = got.isFault ? got.error : undefined
    else if (got.isFault && !this.#hasFailed) this.#onError(got.error)
    this.#hasFailed = got.isFault
    return got.error
  }

  /** Returns a token for an open connection, or an error that the caller reports. */
  async renew(): Promise<string | HawserError> {
    if (typeof this.#source === "string") {
      const message =
        "the server requested a fresh token, but the option token is a text: pass a function that returns a fresh token, or the connection ends soon after this one expires"
      return new HawserError("auth_token_expired", { message, retry: "never" })
    }
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
      // The error is final: the function would return the same value again.
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

/** Returns a client id. It is not secret, and only has to differ from the ids of the same user's other clients. */
export function randomClientId(random: () => number): string {
  const part = (): string => Math.floor(random() * 2 ** 32).toString(36)
  return part() + part()
}
