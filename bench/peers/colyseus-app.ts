// Colyseus over its WebSocket transport, with the defaults of both: no compression, a heartbeat every 3 s, patches at
// 20 Hz. The token is checked in the static `onAuth`, before a seat is reserved, as the documentation of Colyseus
// advises.
import { Server } from "@colyseus/core"
import type { Room } from "@colyseus/core"
import { WebSocketTransport } from "@colyseus/ws-transport"
import { createServer } from "node:http"
import type { RunningServer, ServerSettings } from "../servers/control.ts"
import { portOf } from "./port-of.ts"
import { createVerifier } from "./verify-token.ts"

let verify: (token: string) => Promise<string> = () => Promise.reject(new Error("not started"))

/** For the static `onAuth` of rooms: resolves to the value of the client's `auth`. */
export async function authenticate(token: string): Promise<{ userId: string }> {
  return { userId: await verify(token) }
}

/** Shape of every message and its reply. */
export interface Move {
  readonly n: number
  readonly direction: string
}

export interface Publish {
  readonly n: number
  readonly count: number
  readonly textBytes: number
}

export function moved({ n, direction }: Move): { n: number; x: number; y: number } {
  return { n, x: direction === "LEFT" ? 3 : 4, y: 7 }
}

export async function startColyseus(
  { secret }: ServerSettings,
  room: new () => Room,
): Promise<RunningServer> {
  verify = createVerifier(secret)
  const httpServer = createServer()
  const server = new Server({ transport: new WebSocketTransport({ server: httpServer }), greet: false })
  server.define("bench", room)
  await server.listen(0, "127.0.0.1")
  return { port: portOf(httpServer) }
}
