// Performs the effects of the reconnect machine: token calls, dials, HELLO, AUTH, the end of connections. Contains no
// decisions about when to dial. Must not know frames, requests or listeners.
import type { HawserError } from "@hawser/protocol"
import { unsendable } from "@hawser/protocol/core"
import type { ClientParts } from "./client-parts.ts"
import { sendHello } from "./handshake.ts"
import type { ReconnectEffect } from "./reconnect-state.ts"

export function performEffect(parts: ClientParts, effect: ReconnectEffect): void {
  const { counters, links, onError } = parts
  switch (effect.kind) {
    case "getToken":
      getToken(parts, effect.dial, effect.refused).catch(onError)
      return
    case "renewToken":
      renewToken(parts, effect.renewal).catch(onError)
      return
    case "dial":
      counters.dials += 1
      links.dial(effect.dial)
      return
    case "sendHello":
      sendHello(parts, effect.dial, effect.token)
      return
    case "sendAuth":
      sendAuth(parts, effect.token)
      return
    case "abandon":
      abandon(parts, effect.dial)
      return
    case "report":
      onError(effect.error)
      return
    case "connectionLost":
      onConnectionLost(parts, effect.error)
  }
}

async function getToken(
  { supervisor, tokens }: ClientParts,
  dial: number,
  refused: HawserError | undefined,
): Promise<void> {
  const got = await tokens.get(refused)
  if (typeof got === "string") supervisor.step({ kind: "token", dial, token: got })
  else supervisor.step({ kind: "tokenFailed", dial, error: got })
}

async function renewToken({ supervisor, tokens }: ClientParts, renewal: number): Promise<void> {
  supervisor.step({ kind: "renewed", renewal, token: await tokens.renew() })
}

/** Reports a token that is too large for a message. The session continues with the previous token. */
function sendAuth({ binding, onError }: ClientParts, token: string): void {
  try {
    binding.session?.sendControl({ kind: "auth", token })
  } catch (error) {
    onError(unsendable("the fresh token", error))
  }
}

function abandon({ binding, links, supervisor }: ClientParts, dial: number): void {
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

function onConnectionLost({ binding, counters, outage }: ClientParts, error: HawserError): void {
  if (error.code !== "client_closed") {
    counters.connectionsLost += 1
    outage.begin()
  }
  // A session without a resume token ends with its connection.
  if (binding.session?.claim() === undefined) binding.end(error)
}
