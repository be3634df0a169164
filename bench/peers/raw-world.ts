// The world on raw `ws` as in most first versions: every tick one JSON text for each client, with the players in its
// view.
import { once } from "node:events"
import { createServer } from "node:http"
import { WebSocket, WebSocketServer } from "ws"
import { serveBenchmark } from "../servers/control.ts"
import type { RunningServer, ServerSettings } from "../servers/control.ts"
import { startTicks } from "../servers/tick-loop.ts"
import { World, playerOf } from "../servers/world-model.ts"
import type { Player } from "../servers/world-model.ts"
import { portOf } from "./port-of.ts"
import { decode, encode } from "./raw-messages.ts"
import { createVerifier } from "./verify-token.ts"

async function listen({ secret, playerCount }: ServerSettings): Promise<RunningServer> {
  const verify = createVerifier(secret)
  const world = new World(playerCount)
  const clients = new Map<WebSocket, Player>()
  const httpServer = createServer()
  const wss = new WebSocketServer({ server: httpServer, perMessageDeflate: false, maxPayload: 64 * 1024 })

  async function authenticate(client: WebSocket, token: string): Promise<void> {
    clients.set(client, playerOf(world, await verify(token)))
    client.send(encode({ t: "w" }))
  }

  wss.on("connection", (client) => {
    client.on("message", (data: Buffer) => {
      const message = decode(data)
      if (message?.t !== "hello") client.close(1003)
      else authenticate(client, message.token).catch(() => client.close(4401))
    })
    client.on("close", () => clients.delete(client))
    client.on("error", () => client.terminate())
  })
  httpServer.listen(0, "127.0.0.1")
  await once(httpServer, "listening")

  let stop: () => readonly number[] = () => []
  return {
    port: portOf(httpServer),
    start() {
      stop = startTicks((tick) => {
        world.step()
        for (const [client, player] of clients)
          if (client.readyState === WebSocket.OPEN)
            client.send(JSON.stringify({ tick, players: world.visibleTo(player) }))
      })
    },
    stop: () => stop(),
  }
}

await serveBenchmark(listen)
