// Performs the effects of the reconnect machine: token calls, dials, HELLO, AUTH, the end of connections. Contains no
// decisions about when to dial. Must not know frames, requests or listeners.
import type { HawserError } from "@hawser/protocol"
import { unsendable } from "@hawser/protocol/core"
import type { ClientParts } from "./client-parts.ts"
import type { Handshake } from "./handshake.ts"
import type { ReconnectEffect } from "./reconnect-state.ts"

export interface EffectsOptions extends ClientParts {
  readonly handshake: Handshake
}

export class Effects {
  readonly #options: EffectsOptions

  constructor(options: EffectsOptions) {
    this.#options = options
  }

  perform(effect: ReconnectEffect): void {
    const { counters, links, onError } = this.#options
    switch (effect.kind) {
      case "getToken":
        this.#getToken(effect.dial, effect.refused).catch(onError)
        return
      case "renewToken":
        this.#renewToken(effect.renewal).catch(onError)
        return
      case "dial":
        counters.dials += 1
        links.dial(effect.dial)
        return
      case "sendHello":
        this.#sendHello(effect.dial, effect.token)
        return
      case "sendAuth":
        this.#sendAuth(effect.token)
        return
      case "abandon":
        this.#abandon(effect.dial)
        return
      case "report":
        onError(effect.error)
        return
      case "connectionLost":
        this.#onConnectionLost(effect.error)
    }
  }

  async #getToken(dial: number, refused: HawserError | undefined): Promise<void> {
    const { supervisor, tokens } = this.#options
    const got = await tokens.get(refused)
    if (typeof got === "string") supervisor.step({ kind: "token", dial, token: got })
    else supervisor.step({ kind: "tokenFailed", dial, error: got })
  }

  async #renewToken(renewal: number): Promise<void> {
    const { supervisor, tokens, onError } = this.#options
    const got = await tokens.renew()
    const token = typeof got === "string" ? got : undefined
    if (typeof got !== "string") onError(got)
    supervisor.step({ kind: "renewed", renewal, token })
  }

  #sendHello(dial: number, token: string): void {
    const { binding, handshake, links } = this.#options
    const link = links.get(dial)
    if (link === undefined) return
    binding.link = link
    handshake.sendHello(link, token)
  }

  /** Reports a token that is too large for a message. The session continues with the previous token. */
  #sendAuth(token: string): void {
    const { binding, onError } = this.#options
    try {
      binding.session?.sendControl({ kind: "auth", token })
    } catch (error) {
      onError(unsendable("the fresh token", error))
    }
  }

  #abandon(dial: number): void {
    const { binding, links, supervisor } = this.#options
    if (binding.link?.dial === dial) binding.unbind()
    const { state } = supervisor
    if (state.kind === "authenticating" && state.isMove) {
      links.retire(dial)
    } else {
      const isEnd = state.kind === "closed" && state.error.code === "client_closed"
      links.abandon(dial, !isEnd)
      links.dropRetired()
    }
  }

  #onConnectionLost(error: HawserError): void {
    const { binding, counters, outage } = this.#options
    if (error.code !== "client_closed") {
      counters.connectionsLost += 1
      outage.begin()
    }
    // A session without a resume token ends with its connection.
    if (binding.session?.claim() === undefined) binding.end(error)
  }
}
