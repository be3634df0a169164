// Assembles the world: store, HTTP, sessions, the game and its tick. Must not read the environment.
import { profile20 } from "@hawser/server/profile20"
import { HawserError, createServer as createHawser, jwt } from "@hawser/server"
import { fileJournal } from "@hawser/server/journal"
import type { JournalOption } from "@hawser/server/journal"
import { registerMetrics } from "@hawser/server/metrics"
import { readFile } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { basename } from "node:path"
import { performance } from "node:perf_hooks"
import type { Logger } from "pino"
import { Registry } from "prom-client"
import { world } from "../contract.ts"
import { parseTiledMap } from "../rules/map.ts"
import type { WorldMap } from "../rules/map.ts"
import { skillsOf, totalLevel } from "../rules/skills.ts"
import type { WorldConfig } from "./config/config.ts"
import { UnusableSetting } from "./config/unusable-setting.ts"
import { createEnding } from "./ending.ts"
import type { Ending } from "./ending.ts"
import { Game } from "./game/game.ts"
import type { WorldServer } from "./game/world-types.ts"
import type { WorldUser } from "./game/world-types.ts"
import { noTimes, startTick } from "./game/tick.ts"
import type { Tick } from "./game/tick.ts"
import type { Tilesets } from "./http/asset-routes.ts"
import { defaultDoorLimits } from "./http/door-limits.ts"
import { createHttpHandler } from "./http/handler.ts"
import { createHashQueue } from "./http/hash-queue.ts"
import { openHttpServer } from "./http/http-server.ts"
import { createPasswords } from "./http/passwords.ts"
import { createRenewalTokens } from "./http/renewal-tokens.ts"
import { createTokens, tokenAudience } from "./http/tokens.ts"
import { createIncidentLog } from "./log/incidents.ts"
import { createProfile20 } from "./profile20/profile20.ts"
import { DatabaseBusy } from "./store/busy.ts"
import { openDatabase } from "./store/database.ts"
import { createLoginStore } from "./store/login-store.ts"
import { knownPlayer } from "./store/player-record.ts"
import type { Progress } from "./store/player-record.ts"
import { createPlayerStore } from "./store/player-store.ts"
import type { PlayerStore, SaveOutcome } from "./store/player-store.ts"
import { createSaver } from "./store/saver.ts"
import { troublesOf } from "./troubles.ts"
import { registerWorldMetrics } from "./world-metrics.ts"
import type { WorldMetrics, WorldMetricsSources } from "./world-metrics.ts"

export interface WorldServerOptions {
  readonly config: WorldConfig
  readonly log: Logger
  /** Number of log lines that were dropped so far. Default: always 0. */
  readonly lostLogLines?: () => number
  readonly version: string
  /** Folder of the built page. */
  readonly pageDir: string
  /** Folder of `map.json` and of the images that it names. */
  readonly assetsDir: string
}

export interface RunningWorld extends Ending {
  readonly port: number
  readonly url: string
  /** Server of the players' sessions. */
  readonly server: WorldServer
}

const motd = "Welcome to the harbour."
/**
 * Maximum number of players. A tick has capacity for 1,000 who walk; twice as many may enter, because not all walk at
 * once.
 */
const maxPlayers = 2_000
/**
 * Interval of replica changes, in milliseconds, if the game does not flush. The game flushes at the end of each tick.
 */
const replicaTickMs = 250
const saveEveryTicks = 200
/** One second. */
const retryEveryTicks = 20
const startingHp = 10

export async function startWorld(options: WorldServerOptions): Promise<RunningWorld> {
  const { config, log } = options
  const map = await loadMap(options.assetsDir)
  const database = await openConfigured(config.databaseUrl)
  const store = createPlayerStore(database)
  const incidents = createIncidentLog({ log, nowMs: () => performance.now() })
  const onError = (error: unknown): void => incidents.report(error)
  const { server, game, tick, saver } = await continueGame({ config, log, map, store, onError })
  const doorLimits = doorLimitsOf(config)
  const hashes = createHashQueue(doorLimits)
  const { metrics, readMetrics } = openMetrics(server, {
    saves: () => saver.health,
    lostLogLines: options.lostLogLines ?? (() => 0),
    violations: () => incidents.violations,
    hashes: () => hashes.size,
    requestsUnderWay: () => http.requestsUnderWay(),
    pieces: () => game.pieces(),
  })
  const tilesets = await loadTilesets(map, options.assetsDir)
  let isOpen = true
  const handler = createHttpHandler({
    store,
    passwords: createPasswords(),
    hashes,
    doorLimits,
    tokens: createTokens({ secret: config.jwtSecret, ttlMs: config.tokenTtlMs }),
    logins: createLoginStore(database, { nowMs: Date.now }),
    renewalTokens: createRenewalTokens(config.jwtSecret),
    onRenewal: renewalReport(metrics, log),
    spawn: { mapId: map.id, ...map.spawn, maxHp: startingHp },
    totalLevel: (skills) => totalLevel(skillsOf(skills)),
    isAtCapacity: (role) => role === "player" && game.players.size >= maxPlayers,
    tilesets,
    status: () => ({ motd, maxPlayers, currentPlayers: game.players.size, tick: tick.times() }),
    isOpen: () => isOpen,
    troubles: () => troublesOf(saver.health, server.stats()),
    version: options.version,
    metrics: readMetrics,
    metricsToken: config.metricsToken,
    metricsForThisMachine: !config.trustProxy && !config.isProduction,
    pageDir: options.pageDir,
    onFault: (error, path) => incidents.report(error, { path }),
    trustProxy: config.trustProxy,
  })
  const { host, port } = config
  const attach: Attach = (httpServer) => server.attach(httpServer)
  const onDropped = metrics.requestDropped
  const http = await openHttpServer({ handler, host, port, attach, onError, onDropped })

  const ending = createEnding({
    sessions: { close: () => server.close({ backInMs: config.restartMs }) },
    tick,
    http,
    saver,
    progress: () => game.progress(),
    store,
    onClosing: () => (isOpen = false),
  })
  return { port: http.port, url: `http://localhost:${http.port}`, server, ...ending }
}

type Attach = Parameters<typeof openHttpServer>[0]["attach"]

function openConfigured(url: WorldConfig["databaseUrl"]) {
  return openDatabase(url).catch((cause: unknown) => {
    throw new UnusableSetting(`DATABASE_URL is ${url}, which cannot be opened`, cause)
  })
}

function openJournal(folder: string | undefined): JournalOption | undefined {
  try {
    return folder === undefined ? undefined : fileJournal(folder)
  } catch (error) {
    throw unusableJournal(folder, error)
  }
}

function unusableJournal(folder: string | undefined, cause: unknown): UnusableSetting {
  return new UnusableSetting(`JOURNAL is ${folder}, from which the world cannot continue`, cause)
}

function doorLimitsOf({ registrationsPerMinute }: WorldConfig) {
  return { ...defaultDoorLimits(availableParallelism()), registrationsPerMinute }
}

/** Registers the metrics of the sessions' server and of the world in one registry. */
function openMetrics(server: WorldServer, sources: WorldMetricsSources) {
  const registry = new Registry()
  registerMetrics(server, { registry })
  const metrics = registerWorldMetrics(registry, sources)
  const readMetrics = async () => ({ text: await registry.metrics(), contentType: registry.contentType })
  return { metrics, readMetrics }
}

function renewalReport(metrics: WorldMetrics, log: Logger) {
  return (outcome: string, username: string): void => {
    metrics.renewed(outcome)
    if (outcome === "reused") log.warn({ username }, "a renewal token came twice; its log-in was ended")
  }
}

interface GameParts {
  readonly config: WorldConfig
  readonly log: Logger
  readonly map: WorldMap
  readonly store: PlayerStore
  readonly onError: (error: unknown) => void
}

/** Opens the game, and continues the world of earlier processes, before the port opens. */
async function continueGame(parts: GameParts) {
  const { server, game, saver, startTicks } = openGame(parts)
  await server.recover().catch((error: unknown) => {
    throw unusableJournal(parts.config.journalFolder, error)
  })
  game.begin(performance.now())
  return { server, game, saver, tick: startTicks() }
}

/** Creates the sessions' server, the game on it, and the tick of both. */
function openGame({ config, log, map, store, onError }: GameParts) {
  const journal = openJournal(config.journalFolder)
  const server: WorldServer = createHawser(world, {
    ...(journal === undefined ? {} : { journal }),
    authenticate: authenticator(config.jwtSecret, store),
    limits: { sessionsPerUser: 1, resumeWindowMs: config.resumeWindowMs, replicaTickMs },
    trustProxy: config.trustProxy,
    allowLoopbackOrigins: !config.isProduction,
    onError,
    onWarning: ({ kind, message }) => log.warn({ kind }, message),
    onRefused: ({ code, cause, count }) =>
      log.info(
        { code, count, cause: cause instanceof Error ? cause.message : undefined },
        "log-ins were refused",
      ),
    profile20: profile20(
      createProfile20({
        map,
        motd,
        wallClockMs: Date.now,
        seen: ({ record }) => game.players.seen(record),
        players: () => [...game.players.all].map(({ record }) => game.players.seen(record)),
      }),
    ),
    ...(config.origins === undefined ? {} : { origins: config.origins }),
  })
  const saver = createSaver({ saveAll: (progress) => saveBehind(server, store, progress), onError })
  const game: Game = new Game({
    server,
    map,
    motd,
    random: Math.random,
    wallClockMs: Date.now,
    save: (progress) => saver.put(progress),
    isUnsaved: (id) => saver.isPending(id),
    async read(id) {
      const record = await store.findById(id)
      return record === undefined || record.isBanned ? undefined : knownPlayer(record)
    },
    onError,
    tickTimes: () => tick?.times() ?? noTimes,
  })
  let tick: Tick | undefined
  const startTicks = (): Tick =>
    (tick = startTick({
      onTick(count, nowMs) {
        game.tick(nowMs)
        if (count % saveEveryTicks === 0) saver.put(game.progress())
        else if (count % retryEveryTicks === 0) saver.retry()
      },
      onError,
    }))
  return { server, game, saver, startTicks }
}

/** Saves what the journal has: the database is never ahead of it. */
async function saveBehind(
  server: WorldServer,
  store: PlayerStore,
  progress: readonly Progress[],
): Promise<SaveOutcome> {
  await server.committed()
  return await store.saveAll(progress)
}

const noAccount = { message: "The token's account does not exist.", category: "permission" } as const

/** Returns a function that accepts a valid token of an existing player who is neither banned nor timed out. */
function authenticator(
  secret: string,
  store: PlayerStore,
): (token: string, context: { address: string; signal: AbortSignal }) => Promise<WorldUser> {
  const verify = jwt({ secret, issuer: tokenAudience, audience: tokenAudience })
  return async (token, context) => {
    const { id: username, expiresAtMs = 0 } = await verify(token, context)
    const record = await store.findByName(username).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseBusy)) throw cause
      throw new HawserError("sys_service_unavailable", { message: cause.message, cause })
    })
    if (record === undefined) throw world.error("auth_player_not_found", noAccount)
    if (record.isBanned) throw new HawserError("auth_forbidden", { message: "this account is banned" })
    if (record.timeoutUntilMs !== null && record.timeoutUntilMs > Date.now()) {
      throw new HawserError("auth_forbidden", { message: "this account is timed out" })
    }
    return { id: String(record.id), expiresAtMs, record: knownPlayer(record) }
  }
}

async function loadMap(assetsDir: string): Promise<WorldMap> {
  return parseTiledMap(JSON.parse(await readFile(`${assetsDir}/map.json`, "utf8")))
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
