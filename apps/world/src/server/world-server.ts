// Puts the world together: store, HTTP, sessions, the game and its tick. Reads no environment.
import { HawserError, createServer as createHawser, jwt } from "@hawser/server"
import { registerMetrics } from "@hawser/server/metrics"
import { readFile } from "node:fs/promises"
import { createServer as createHttpServer } from "node:http"
import { basename } from "node:path"
import type { Logger } from "pino"
import { Registry } from "prom-client"
import { world } from "../contract.ts"
import { parseTiledMap } from "../rules/map.ts"
import type { WorldMap } from "../rules/map.ts"
import { skillsOf, totalLevel } from "../rules/skills.ts"
import type { WorldConfig } from "./config/config.ts"
import { UnusableSetting } from "./config/unusable-setting.ts"
import { Game } from "./game/game.ts"
import type { WorldServer } from "./game/game.ts"
import type { WorldUser } from "./game/player-state.ts"
import { startTick } from "./game/tick.ts"
import type { Tick } from "./game/tick.ts"
import type { Tilesets } from "./http/asset-routes.ts"
import { createHttpHandler } from "./http/handler.ts"
import { createPasswords } from "./http/passwords.ts"
import { createTokens, tokenAudience } from "./http/tokens.ts"
import { createProfile20 } from "./profile20/profile20.ts"
import { openDatabase } from "./store/database.ts"
import { createPlayerStore } from "./store/player-store.ts"
import type { PlayerStore } from "./store/player-store.ts"

export interface WorldServerOptions {
  readonly config: WorldConfig
  readonly log: Logger
  readonly version: string
  /** The built page. */
  readonly pageDir: string
  /** `map.json` and the images that it names. */
  readonly assetsDir: string
}

export interface RunningWorld {
  readonly port: number
  readonly url: string
  /** What its players are connected to. */
  readonly server: WorldServer
  close(): Promise<void>
}

const motd = "Welcome to the harbour."
/** 1,000 of them walking about leave room in a tick; twice as many are let in, because not all walk all the time. */
const maxPlayers = 2_000
/** The game tells of changes at the end of each of its ticks; this is for when it does not. */
const replicaTickMs = 250
const saveEveryTicks = 200
const startingHp = 10

export async function startWorld(options: WorldServerOptions): Promise<RunningWorld> {
  const { config, log, version, pageDir, assetsDir } = options
  const map = parseTiledMap(JSON.parse(await readFile(`${assetsDir}/map.json`, "utf8")))
  const database = await openDatabase(config.databaseUrl).catch((cause: unknown) => {
    throw new UnusableSetting(`DATABASE_URL is ${config.databaseUrl}, which cannot be opened`, cause)
  })
  const store = createPlayerStore(database)
  const onError = (err: unknown): void => log.warn({ err }, "something failed and was contained")

  const server = createHawser(world, {
    authenticate: authenticator(config.jwtSecret, store),
    limits: { sessionsPerUser: 1, resumeWindowMs: config.resumeWindowMs, replicaTickMs },
    trustProxy: config.trustProxy,
    onError,
    profile20: createProfile20({
      map,
      motd,
      wallClockMs: Date.now,
      stateOf: (user) => game.stateOf(user),
      players: () => game.players.all,
    }),
    ...(config.origins === undefined ? {} : { origins: config.origins }),
  })
  const game: Game = new Game({
    server,
    map,
    motd,
    random: Math.random,
    wallClockMs: Date.now,
    save: (progress) => store.saveAll(progress),
    onError,
    tickTimes: () => tick.times(),
  })
  const registry = new Registry()
  registerMetrics(server, { registry })
  let open = true
  const tick: Tick = startTick({
    onTick(count, nowMs) {
      game.tick(nowMs)
      if (count % saveEveryTicks === 0) store.saveAll(game.progress()).catch(onError)
    },
    onError,
  })
  const handler = createHttpHandler({
    store,
    passwords: createPasswords(),
    tokens: createTokens({ secret: config.jwtSecret }),
    spawn: { mapId: map.id, ...map.spawn, maxHp: startingHp },
    totalLevel: (skills) => totalLevel(skillsOf(skills)),
    isAtCapacity: (role) => role === "player" && game.players.size >= maxPlayers,
    tilesets: await loadTilesets(map, assetsDir),
    status: () => ({ motd, maxPlayers, currentPlayers: game.players.size, tick: tick.times() }),
    isReady: () => open,
    version,
    metrics: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
    metricsToken: config.metricsToken,
    pageDir,
    log,
    trustProxy: config.trustProxy,
  })

  const httpServer = createHttpServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    handler,
  )
  server.attach(httpServer)
  await new Promise<void>((resolve, reject) => {
    httpServer.once("error", reject)
    httpServer.listen(config.port, config.host, resolve)
  }).catch((cause: unknown) => {
    throw new UnusableSetting(
      `PORT is ${config.port} and HOST ${config.host}, where nothing can listen`,
      cause,
    )
  })
  const address = httpServer.address()
  const port = typeof address === "object" && address !== null ? address.port : config.port

  return {
    port,
    url: `http://localhost:${port}`,
    server,
    async close() {
      if (!open) return
      open = false
      const last = game.progress()
      await server.close()
      tick.stop()
      await store.saveAll(last)
      httpServer.closeAllConnections()
      await new Promise<void>((resolve) => httpServer.close(() => resolve()))
      await store.close()
    },
  }
}

/** A valid token of an existing player who is neither banned nor timed out. */
function authenticator(
  secret: string,
  store: PlayerStore,
): (token: string, context: { address: string; signal: AbortSignal }) => Promise<WorldUser> {
  const verify = jwt({ secret, issuer: tokenAudience, audience: tokenAudience })
  return async (token, context) => {
    const { id: username, expiresAtMs = 0 } = await verify(token, context)
    const record = await store.findByName(username)
    if (record === undefined) throw new HawserError("auth_player_not_found")
    if (record.isBanned) throw new HawserError("auth_forbidden", { message: "this account is banned" })
    if (record.timeoutUntilMs !== null && record.timeoutUntilMs > Date.now()) {
      throw new HawserError("auth_forbidden", { message: "this account is timed out" })
    }
    return { id: String(record.id), expiresAtMs, record }
  }
}

async function loadTilesets(map: WorldMap, assetsDir: string): Promise<Tilesets> {
  const { tileset } = map
  const file = basename(tileset.image)
  const bytes = await readFile(`${assetsDir}/${file}`)
  const { tileWidth, tileHeight, tileCount, columns, spacing, margin, firstGid } = tileset
  const lastGid = firstGid + tileCount - 1
  const entry = {
    id: tileset.name,
    imageSource: file,
    firstGid,
    lastGid,
    tileWidth,
    tileHeight,
    tileCount,
    columns,
    spacing,
    margin,
  }
  return {
    list: (mapId) => (mapId === map.id ? [entry] : undefined),
    find: (id) => (id === entry.id ? entry : undefined),
    image: (name) => (name === file ? { bytes, contentType: "image/png" } : undefined),
  }
}
