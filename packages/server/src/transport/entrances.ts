// Entrances of a server: its own HTTP servers (`listen`), HTTP servers of the application (`attach`), and HTTP servers of other
// runtimes (`open`). `close` ends them all. Must not know frames.
import { HawserError } from "@hawser/protocol"
import type { Clock, ServerLimits } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type { Accept, Profile } from "@hawser/protocol/core"
import type { Server as HttpServer } from "node:http"
import type { Base } from "../base/create-base.ts"
import { assertListenOptions } from "./listening.ts"
import type { ListenOptions, Listening } from "./listening.ts"
import { openHttpServer } from "./http-server.ts"
import type { OwnHttpServer } from "./http-server.ts"
import { judgeUpgrade } from "./judge-upgrade.ts"
import type { UpgradePolicy, UpgradeRequest, UpgradeVerdict } from "./judge-upgrade.ts"
import { allowedOrigins } from "./origin.ts"
import { Turn } from "./turn.ts"
import type { Gate } from "./turn.ts"
import { serveUpgrades } from "./upgrade.ts"

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
  /** Restores the sessions of earlier processes. Await it before the port opens. Rejects like `recover` of the server. */
  recover(): Promise<void>
  /**
   * Registers the entrance. The server's `close()` calls `close` after the end of the last connection, and awaits it.
   * @throws as `attach`.
   */
  open(close: () => Promise<void>): void
}

/** Options of the server's entrances. */
export interface EntrancesSetup extends Pick<
  UpgradePolicy,
  "path" | "allowLoopbackOrigins" | "trustProxy" | "warnings" | "isClosing"
> {
  readonly origins: readonly string[] | ((origin: string) => boolean) | undefined
  /** @throws TypeError while a call of the contract has no handler. */
  readonly assertReady: () => void
  /** Passes each turn before its output leaves; undefined without a journal. `assertRecovered` throws a TypeError until it was read. */
  readonly kept: { readonly journal: Gate; readonly assertRecovered: () => void } | undefined
  /** Restores sessions of earlier processes. Resolves before the port opens. */
  readonly recover: () => Promise<void>
}

/** Parts of the session layer that entrances use. */
interface EnteredSessions {
  readonly accept: Accept
  readonly caps: UpgradePolicy["caps"]
  readonly dialects: ReadonlyMap<Profile, unknown>
}

/** Entrances of one server. */
export interface Entrances extends EntranceHost {
  attach(httpServer: HttpServer): void
  listen(where?: ListenOptions): Promise<Listening>
  /** Leaves later dials of passed sockets to the next process; called before the shutdown. */
  stopAccepting(): void
  close(): Promise<void>
}

/** @throws TypeError for an entry of `origins` that is not an origin. */
export function createEntrances(
  setup: EntrancesSetup,
  base: Base,
  { accept, caps, dialects }: EnteredSessions,
): Entrances {
  const { limits, clock, onError } = base
  const { path, isClosing, assertReady, kept, recover } = setup
  const origins = allowedOrigins(setup.origins)
  const turn = new Turn(kept === undefined ? base : { ...base, gate: kept.journal })
  const upgrades = { ...base, ...setup, origins, accept, caps, profiles: new Set(dialects.keys()), turn }
  const detachers = new Map<HttpServer, () => void>()
  const closers = new Set<() => Promise<void>>()
  const passed = new Set<OwnHttpServer>()
  function assertOpen(): void {
    if (isClosing()) throw new HawserError("server_shutdown", { message: "the server is closed" })
    assertReady()
  }
  async function recoverOpen(): Promise<void> {
    assertOpen()
    await recover()
  }
  function attach(httpServer: HttpServer): void {
    assertHttpServer(httpServer, detachers)
    assertOpen()
    kept?.assertRecovered()
    detachers.set(httpServer, serveUpgrades(httpServer, upgrades))
  }
  return {
    path,
    limits,
    clock,
    accept,
    turn,
    onError,
    judge: (request) => judgeUpgrade(request, upgrades),
    recover: recoverOpen,
    open(close) {
      assertOpen()
      kept?.assertRecovered()
      closers.add(close)
    },
    attach,
    async listen(where = {}) {
      assertListenOptions(where)
      await recoverOpen()
      const own = await openHttpServer({ where, limits, onError })
      closers.add(() => own.close())
      if (where.fd !== undefined) passed.add(own)
      // The server may have been closed while the port was opening.
      await closedOnThrow(own, () => attach(own.httpServer))
      return listeningAt(own.address, where, path)
    },
    stopAccepting() {
      for (const own of passed) own.stopAccepting()
    },
    close: () => closeAll(detachers, closers),
  }
}

async function closeAll(
  detachers: Map<HttpServer, () => void>,
  closers: Set<() => Promise<void>>,
): Promise<void> {
  for (const detach of detachers.values()) detach()
  detachers.clear()
  await Promise.all([...closers].map((close) => close()))
  closers.clear()
}

/** @throws TypeError for a value of untyped code that is no server, and for a server that is attached. */
function assertHttpServer(httpServer: HttpServer, attached: ReadonlyMap<unknown, unknown>): void {
  if (attached.has(httpServer)) throw new TypeError("cannot attach the HTTP server: it is attached already")
  const given: unknown = httpServer
  if (typeof given === "object" && given !== null && "on" in given) return
  throw new TypeError(
    `attach needs an HTTP server of Node, not ${quoted(httpServer)}: pass the result of http.createServer()`,
  )
}

interface Address {
  readonly port: number
  readonly host: string | undefined
  readonly path: string
}

async function closedOnThrow(own: OwnHttpServer, work: () => void): Promise<void> {
  try {
    work()
  } catch (error) {
    await own.close()
    throw error
  }
}

function listeningAt(
  address: OwnHttpServer["address"],
  { port = 0, host }: ListenOptions,
  path: string,
): Listening {
  if (typeof address === "string") return { port: 0, url: `ws+unix:${address}:${path}` }
  return listeningOn({ port: address?.port ?? port, host, path })
}

/** Returns the port and the URL of a server. */
export function listeningOn({ port, host = "localhost", path }: Address): Listening {
  return { port, url: `ws://${host.includes(":") ? `[${host}]` : host}:${port}${path}` }
}
