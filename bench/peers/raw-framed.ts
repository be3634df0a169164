// Raw `ws` at the practical limit of Node: a message is encoded and framed once for all its recipients and written
// directly to the socket. All frames for one socket in one turn of the event loop form one write.
import { once } from "node:events"
import { createServer } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"
import { serveBenchmark } from "../servers/control.ts"
import type { ServerSettings } from "../servers/control.ts"
import { fillerText } from "../servers/filler-text.ts"
import { portOf } from "./port-of.ts"
import { decode, encodeShared, moved } from "./raw-messages.ts"
import type { ClientMessage, ServerMessage } from "./raw-messages.ts"
import { createVerifier } from "./verify-token.ts"

/** One unmasked binary frame. */
function frameOf(message: ServerMessage): Buffer {
  const bytes = encodeShared(message)
  const headerBytes = bytes.length < 126 ? 2 : 4
  const frame = Buffer.allocUnsafe(headerBytes + bytes.length)
  frame[0] = 0x82
  if (headerBytes === 2) frame[1] = bytes.length
  else frame.writeUInt16BE(bytes.length, frame.writeUInt8(126, 1))
  frame.set(bytes, headerBytes)
  return frame
}

const corked = new Set<Duplex>()

function flush(): void {
  for (const socket of corked) socket.uncork()
  corked.clear()
}

function write(socket: Duplex, frame: Buffer): void {
  if (!socket.writable) return
  if (!corked.has(socket)) {
    if (corked.size === 0) process.nextTick(flush)
    socket.cork()
    corked.add(socket)
  }
  socket.write(frame)
}

function serve(client: WebSocket, socket: Duplex, verify: (token: string) => Promise<string>): void {
  function receive(message: ClientMessage): void {
    if (message.t === "move") {
      write(socket, frameOf(moved(message)))
    } else if (message.t === "publish") {
      const { n, count, textBytes } = message
      const text = fillerText(textBytes)
      for (let i = 0; i < count; i += 1) {
        const frame = frameOf({ t: "e", n: n + i, text })
        for (const member of members) write(member, frame)
      }
      write(socket, frameOf({ t: "r", n }))
    }
  }

  async function authenticate(token: string): Promise<void> {
    await verify(token)
    members.add(socket)
    write(socket, frameOf({ t: "w" }))
  }

  client.on("message", (data: Buffer) => {
    const message = decode(data)
    if (message === undefined) client.close(1003)
    else if (message.t === "hello") authenticate(message.token).catch(() => client.close(4401))
    else if (members.has(socket)) receive(message)
  })
  client.on("close", () => members.delete(socket))
  client.on("error", () => client.terminate())
}

const members = new Set<Duplex>()

async function listen({ secret }: ServerSettings): Promise<{ port: number }> {
  const verify = createVerifier(secret)
  const httpServer = createServer()
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 64 * 1024,
  })
  httpServer.on("upgrade", (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (client) => serve(client, socket, verify))
  })
  httpServer.listen(0, "127.0.0.1")
  await once(httpServer, "listening")
  return { port: portOf(httpServer) }
}

await serveBenchmark(listen)
