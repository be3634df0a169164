// Raw `ws` as in most applications: one `ws.send` for each recipient and message. The encoding is Hawser's,
// MessagePack, and an event is encoded once for all.
import { once } from "node:events"
import { createServer } from "node:http"
import { WebSocket, WebSocketServer } from "ws"
import { serveBenchmark } from "../servers/control.ts"
import type { ServerSettings } from "../servers/control.ts"
import { fillerText } from "../servers/filler-text.ts"
import { portOf } from "./port-of.ts"
import { decode, encode, moved } from "./raw-messages.ts"
import type { ClientMessage, ServerMessage } from "./raw-messages.ts"
import { createVerifier } from "./verify-token.ts"

async function listen({ secret }: ServerSettings): Promise<{ port: number }> {
  const verify = createVerifier(secret)
  const clients = new Set<WebSocket>()
  const httpServer = createServer()
  const wss = new WebSocketServer({ server: httpServer, perMessageDeflate: false, maxPayload: 64 * 1024 })

  function send(client: WebSocket, message: ServerMessage): void {
    client.send(encode(message))
  }

  function publish(message: ServerMessage): void {
    const bytes = encode(message)
    for (const client of clients) if (client.readyState === WebSocket.OPEN) client.send(bytes)
  }

  function receive(client: WebSocket, message: ClientMessage): void {
    if (message.t === "move") {
      send(client, moved(message))
    } else if (message.t === "publish") {
      const { n, count, textBytes } = message
      const text = fillerText(textBytes)
      for (let i = 0; i < count; i += 1) publish({ t: "e", n: n + i, text })
      send(client, { t: "r", n })
    }
  }

  async function authenticate(client: WebSocket, token: string): Promise<void> {
    await verify(token)
    clients.add(client)
    send(client, { t: "w" })
  }

  wss.on("connection", (client) => {
    client.on("message", (data: Buffer) => {
      const message = decode(data)
      if (message === undefined) client.close(1003)
      else if (message.t === "hello") authenticate(client, message.token).catch(() => client.close(4401))
      else if (clients.has(client)) receive(client, message)
    })
    client.on("close", () => clients.delete(client))
    client.on("error", () => client.terminate())
  })
  httpServer.listen(0, "127.0.0.1")
  await once(httpServer, "listening")
  return { port: portOf(httpServer) }
}

await serveBenchmark(listen)
