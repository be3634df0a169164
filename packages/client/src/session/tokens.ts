// Who a client is: where its tokens come from, which one it used last, and its id. Knows no connections.
import { HawserError } from "@hawser/protocol"

export interface TokenContext {
  /** Why the last token was refused; undefined for the first one. Returning the same token again ends the attempts. */
  readonly refused: HawserError | undefined
}

export type TokenSource = string | ((context: TokenContext) => string | Promise<string>)

export class Tokens {
  #source: TokenSource
  /** The token that was sent last. */
  last: string | undefined

  constructor(source: TokenSource) {
    this.#source = source
  }

  replace(source: TokenSource): void {
    this.#source = source
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
