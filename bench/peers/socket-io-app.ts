// Socket.IO as its documentation advises for production: no compression (the default), and the handshake's request is
// released. WebSocket only, so the cost of long polling is not measured. Recovery of missed events is off, its default.
import { once } from "node:events"
import { createServer } from "node:http"
import { Server } from "socket.io"
import type { Socket } from "socket.io"
import type { ServerSettings } from "../servers/control.ts"
import { fillerText } from "../servers/filler-text.ts"
import { portOf } from "./port-of.ts"
import { createVerifier } from "./verify-token.ts"

export interface SocketIoApp {
  readonly io: Server
  readonly port: number
}

interface UserData {
  userId: string
}

/** A listening server that accepts clients with a valid token; calls `onClient` for each. */
export async function startSocketIo(
  { secret }: ServerSettings,
  parser: unknown,
  onClient: (io: Server, socket: Socket, userId: string) => void,
): Promise<SocketIoApp> {
  const verify = createVerifier(secret)
  const httpServer = createServer()
  const io = new Server<Record<string, never>, Record<string, never>, Record<string, never>, UserData>(
    httpServer,
    {
      transports: ["websocket"],
      serveClient: false,
      ...(parser === undefined ? {} : { parser }),
    },
  )
  io.engine.on("connection", (rawSocket: { request: unknown }) => {
    rawSocket.request = null
  })
  io.use((socket, next) => {
    const token: unknown = socket.handshake.auth["token"]
    verify(typeof token === "string" ? token : "").then(
      (userId) => {
        socket.data.userId = userId
        next()
      },
      () => next(new Error("unauthorized")),
    )
  })
  io.on("connection", (socket) => onClient(io, socket, socket.data.userId))
  httpServer.listen(0, "127.0.0.1")
  await once(httpServer, "listening")
  return { io, port: portOf(httpServer) }
}

/** The room of all clients. */
const room = "all"

/** Answers `move`, and publishes on `publish`. */
export function serveMessages(io: Server, socket: Socket): void {
  void socket.join(room)
  socket.on("move", ({ n, direction }: { n: number; direction: string }, reply: (value: unknown) => void) => {
    reply({ n, x: direction === "LEFT" ? 3 : 4, y: 7 })
  })
  socket.on(
    "publish",
    (
      { n, count, textBytes }: { n: number; count: number; textBytes: number },
      reply: (value: unknown) => void,
    ) => {
      const text = fillerText(textBytes)
      for (let i = 0; i < count; i += 1) io.to(room).emit("said", { n: n + i, text })
      reply({ n })
    },
  )
}
