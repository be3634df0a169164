// The ways into a server: HTTP servers of our own and of the application, each with its upgrade handler.
import { HawserError } from "@hawser/protocol"
import type { Server as HttpServer } from "node:http"
import type { Listening } from "../server-api.ts"
import { openHttpServer } from "./http-server.ts"
import type { OwnHttpServer } from "./http-server.ts"
import { serveUpgrades } from "./upgrade.ts"
import type { UpgradeOptions } from "./upgrade.ts"

export interface EntrancesOptions extends UpgradeOptions {
  /** Throws while the application has not said all that serving takes. */
  readonly assertReady: () => void
}

export class Entrances {
  readonly #options: EntrancesOptions
  readonly #detachers = new Map<HttpServer, () => void>()
  readonly #own = new Set<OwnHttpServer>()

  constructor(options: EntrancesOptions) {
    this.#options = options
  }

  attach(httpServer: HttpServer): void {
    this.#assertOpen()
    this.#options.assertReady()
    if (this.#detachers.has(httpServer)) throw new TypeError("this HTTP server is attached already")
    this.#detachers.set(httpServer, serveUpgrades(httpServer, this.#options))
  }

  async listen({ port = 0, host }: { port?: number; host?: string } = {}): Promise<Listening> {
    const { limits, onError, path, assertReady } = this.#options
    this.#assertOpen()
    assertReady()
    const own = await openHttpServer({ port, host, limits, onError })
    try {
      this.attach(own.httpServer)
    } catch (error) {
      // The server was closed while the port was being opened.
      await own.close()
      throw error
    }
    this.#own.add(own)
    const name = host?.includes(":") === true ? `[${host}]` : (host ?? "localhost")
    return { port: own.port, url: `ws://${name}:${own.port}${path}` }
  }

  async close(): Promise<void> {
    for (const detach of this.#detachers.values()) detach()
    this.#detachers.clear()
    await Promise.all([...this.#own].map((own) => own.close()))
    this.#own.clear()
  }

  #assertOpen(): void {
    if (this.#options.isClosing())
      throw new HawserError("server_shutdown", { message: "the server is closed" })
  }
}
