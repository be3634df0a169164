// Who a client is: where its tokens come from, and its id. Knows no connections.
import { HawserError } from "@hawser/protocol"

export interface TokenContext {
  /** Why the last token was refused; undefined for the first one. Returning the same token again ends the attempts. */
  readonly refused: HawserError | undefined
}

export type TokenSource = string | ((context: TokenContext) => string | Promise<string>)

export class Tokens {
  #source: TokenSource

  constructor(source: TokenSource) {
    this.#source = source
  }

  /** Returns false for the current source: the same text, or the same function. */
  replace(source: TokenSource): boolean {
    const isOther = source !== this.#source
    this.#source = source
    return isOther
  }

  /** A token, or why there is none. Never answers within the same turn: a step must have ended before the next one. */
  async get(refused: HawserError | undefined): Promise<string | HawserError> {
    try {
      return await (typeof this.#source === "function" ? this.#source({ refused }) : this.#source)
    } catch (cause) {
      const message = "the token function failed"
      return HawserError.is(cause) ? cause : new HawserError("sys_service_unavailable", { message, cause })
    }
  }
}

/** Not secret: it only has to differ from the ids of the same user's other clients. */
export function randomClientId(random: () => number): string {
  const part = (): string => Math.floor(random() * 2 ** 32).toString(36)
  return part() + part()
}
