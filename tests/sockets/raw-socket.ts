// A client's socket as the tests use it, and the functions that open one.
import type { ClientOptions } from "@hawser/client"
import { subprotocol } from "@hawser/protocol/core"
import type { Profile } from "@hawser/protocol/core"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { WebSocket } from "ws"

interface RawEvents {
  /** Called with the subprotocol that the server chose, or "". */
  open(protocol: string): void
  message(bytes: Uint8Array): void
  closed(code: number, reason: string): void
}

export interface RawSocket {
  /** Text when it is a string. */
  send(content: Uint8Array | string): void
  /** Without a code: an empty close frame. */
  close(code?: number, reason?: string): void
  terminate(): void
  pause(): void
  resume(): void
}

export interface RawDial {
  readonly profile: Profile
  readonly headers: Readonly<Record<string, string>>
}

/** Functions by which peers reach one server. */
export interface Sockets {
  /** Options of a client. */
  readonly client: Pick<ClientOptions, "url" | "webSocket" | "dial">
  openRaw(dial: RawDial, events: RawEvents): RawSocket
}

function protocolsOf(profile: Profile): string[] {
  return profile === "2.0" ? [] : [subprotocol]
}

export function webSockets(url: string): Sockets {
  return {
    client: { url, webSocket: WebSocket },
    openRaw({ profile, headers }, events) {
      const socket = new WebSocket(url, protocolsOf(profile), { headers })
      socket.on("open", () => events.open(socket.protocol))
      socket.on("message", (content) => {
        if (Buffer.isBuffer(content)) events.message(content)
      })
      // `close` always follows.
      socket.on("error", () => {})
      socket.on("close", (code, reason) => events.closed(code, reason.toString("utf8")))
      return socket
    },
  }
}

export function memorySockets(network: MemoryNetwork): Sockets {
  return {
    client: { url: "memory:", dial: network.dial },
    openRaw({ profile }, events) {
      network.dial("memory:", protocolsOf(profile), { ...events, text() {}, drained() {}, pong() {} })
      const link = network.links.at(-1)
      if (link === undefined) throw new Error("nothing was dialled")
      const { client } = link
      return {
        send(content) {
          if (typeof content === "string") client.sendText()
          else client.send({ bytes: content })
        },
        close: (code = 1005, reason = "") => client.close(code, reason),
        terminate: () => client.terminate(),
        pause: () => client.pause(),
        resume: () => client.resume(),
      }
    },
  }
}
