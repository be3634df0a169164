// Requests a WebSocket upgrade with plain HTTP, to see the answer that a WebSocket library would hide.
import { randomBytes } from "node:crypto"
import { request, type IncomingHttpHeaders } from "node:http"
import { WAIT_MS } from "./limits.ts"

export interface UpgradeAnswer {
  /** 101 if the server upgraded. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** The server's answer to an upgrade request with these extra headers; the connection is dropped at once. */
export function probeUpgrade(url: string, headers: Readonly<Record<string, string>>): Promise<UpgradeAnswer> {
  const { hostname, port, pathname } = new URL(url)
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  }
  return new Promise((resolve, reject) => {
    const asking = request({
      hostname,
      port,
      path: pathname,
      headers: { ...upgrade, ...headers },
      timeout: WAIT_MS,
    })
    asking.on("upgrade", (answer, socket) => {
      socket.destroy()
      resolve({ status: 101, headers: answer.headers })
    })
    asking.on("response", (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers })
    })
    asking.on("timeout", () => asking.destroy(new Error(`no answer to the upgrade within ${WAIT_MS} ms`)))
    asking.on("error", reject)
    asking.end()
  })
}
