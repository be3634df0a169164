// Entrances of a server: its own HTTP servers (`listen`), HTTP servers of the application (`attach`), and HTTP servers of other
// runtimes (`open`). `close` ends them all. Must not know frames.
import { HawserError } from "@hawser/protocol"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { Accept } from "@hawser/protocol/core"
import type { Server as HttpServer } from "node:http"
import type { Listening } from "./listening.ts"
import { openHttpServer } from "./http-server.ts"
import { judgeUpgrade } from "./judge-upgrade.ts"
import type { UpgradeRequest, UpgradeVerdict } from "./judge-upgrade.ts"
import type { Turn } from "./turn.ts"
import { serveUpgrades } from "./upgrade.ts"
import type { UpgradeOptions } from "./upgrade.ts"

/** The server as an entrance on another HTTP server than Node's uses it, for example Bun's. */
export interface EntranceHost {
  /** Path of the WebSocket. */
  readonly path: string
  /** Limits of the server. */
  readonly limits: ServerLimits
  /** Clock of the server. */
  readonly clock: Pick<Clock, "now">
  /** Accepts a socket. Must be called in the same turn of the event loop as `judge`, so that the caps count it. */
  readonly accept: Accept
  /** Releases the output of the server's connections. */
  readonly turn: Turn
  /** Reports an error to the application. */
  readonly onError: (error: unknown) => void
  /** Decides whether to accept an upgrade. Counts a refusal. */
  judge(request: UpgradeRequest): UpgradeVerdict
  /**
   * Registers the entrance. The server's `close()` calls `close` after the end of the last connection, and awaits it.
   * @throws as `attach`.
   */
  open(close: () => Promise<void>): void
}

export interface EntrancesOptions extends UpgradeOptions {
  /** @throws TypeError while a call of the contract has no handler. */
  readonly assertReady: () => void
}

export class Entrances implements EntranceHost {
  readonly path: string
  readonly limits: ServerLimits
  readonly clock: Pick<Clock, "now">
  readonly accept: Accept
  readonly turn: Turn
  readonly onError: (error: unknown) => void
  readonly #options: EntrancesOptions
  readonly #detachers = new Map<HttpServer, () => void>()
  readonly #closers = new Set<() => Promise<void>>()

  constructor(options: EntrancesOptions) {
    this.#options = options
    this.path = options.path
    this.limits = options.limits
    this.clock = options.clock
    this.accept = options.accept
    this.turn = options.turn
    this.onError = options.onError
  }

  judge(request: UpgradeRequest): UpgradeVerdict {
    return judgeUpgrade(request, this.#options)
  }

  open(close: () => Promise<void>): void {
    this.#assertOpen()
    this.#closers.add(close)
  }

  attach(httpServer: HttpServer): void {
    this.#assertOpen()
    if (this.#detachers.has(httpServer))
      throw new TypeError("cannot attach the HTTP server: it is attached already")
    this.#detachers.set(httpServer, serveUpgrades(httpServer, this.#options))
  }

  async listen({ port = 0, host }: { port?: number; host?: string } = {}): Promise<Listening> {
    const { limits, onError, path } = this.#options
    this.#assertOpen()
    const own = await openHttpServer({ port, host, limits, onError })
    try {
      this.attach(own.httpServer)
    } catch (error) {
      // The server was closed while the port was opening.
      await own.close()
      throw error
    }
    this.#closers.add(() => own.close())
    return listeningOn({ port: own.port, host, path })
  }

  async close(): Promise<void> {
    for (const detach of this.#detachers.values()) detach()
    this.#detachers.clear()
    await Promise.all([...this.#closers].map((close) => close()))
    this.#closers.clear()
  }

  #assertOpen(): void {
    if (this.#options.isClosing())
      throw new HawserError("server_shutdown", { message: "the server is closed" })
    this.#options.assertReady()
  }
}

interface Address {
  readonly port: number
  readonly host: string | undefined
  readonly path: string
}

/** Returns the port and the URL of a server. */
export function listeningOn({ port, host = "localhost", path }: Address): Listening {
  return { port, url: `ws://${host.includes(":") ? `[${host}]` : host}:${port}${path}` }
}
