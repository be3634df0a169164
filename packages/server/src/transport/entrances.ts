// The ways into a server: HTTP servers of our own and of the application, and those that another runtime brings. Knows
// no frames.
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

/** What a way in that stands on another HTTP server than Node's asks of its server. */
export interface EntranceHost {
  /** Path of the WebSocket. */
  readonly path: string
  readonly limits: ServerLimits
  readonly clock: Pick<Clock, "now">
  /** Takes in a socket. Call it in the same turn as `judge`, so that the caps count it. */
  readonly accept: Accept
  /** Releases the output of the server's connections. */
  readonly turn: Turn
  readonly onError: (error: unknown) => void
  /** Decides about an upgrade, and counts a refusal. */
  judge(request: UpgradeRequest): UpgradeVerdict
  /**
   * Begins to let sockets in. The server's `close()` calls `close` when the last connection is gone, and waits for it.
   * @throws as `attach`.
   */
  open(close: () => Promise<void>): void
}

export interface EntrancesOptions extends UpgradeOptions {
  /** Throws while the application has not said all that serving takes. */
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
    if (this.#detachers.has(httpServer)) throw new TypeError("this HTTP server is attached already")
    this.#detachers.set(httpServer, serveUpgrades(httpServer, this.#options))
  }

  async listen({ port = 0, host }: { port?: number; host?: string } = {}): Promise<Listening> {
    const { limits, onError, path } = this.#options
    this.#assertOpen()
    const own = await openHttpServer({ port, host, limits, onError })
    try {
      this.attach(own.httpServer)
    } catch (error) {
      // The server was closed while the port was being opened.
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

interface Place {
  readonly port: number
  readonly host: string | undefined
  readonly path: string
}

export function listeningOn({ port, host = "localhost", path }: Place): Listening {
  return { port, url: `ws://${host.includes(":") ? `[${host}]` : host}:${port}${path}` }
}
