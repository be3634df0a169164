// Runs an attack: a world, players and attackers, each in a process of their own; calm, attack, and the time after it.
import { randomBytes } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { accountsByKeys } from "../../apps/world/src/bots/accounts.ts"
import { WorldProcess, jwtSecret } from "../world/start-world.ts"
import { Child } from "./child.ts"
import { memberCount } from "./kinds/members.ts"
import type { FromAttackers, FromPlayers, PlayerFigures, ToAttackers, ToPlayers, Where } from "./messages.ts"
import type { Outcome } from "./verdict.ts"
import { WorldWatch, standingNames } from "./world-watch.ts"
import type { Standing } from "./world-watch.ts"

export interface AttackOptions {
  readonly seconds: number
  readonly sockets: number
  readonly players: number
  readonly seed: number
  readonly calmMs: number
  readonly warmUpMs: number
  readonly newcomerEveryMs: number
  /** A newcomer who is not in the world after this time counts as refused. */
  readonly newcomerMaxMs: number
  /** Within this time after the attack the world's figures must be as before. */
  readonly backMaxMs: number
  readonly log: (line: string) => void
}

const lookEveryMs = 250
const firstMemoryMs = 15_000
/** Shortest attack whose memory can be judged. */
const memorySecondsMin = 40
/** The standing figures vary by themselves: of this number of readings before the attack the highest counts. */
const looks = 8

const mapFile = new URL("../../apps/world/assets/map.json", import.meta.url)

export async function runAttack(options: AttackOptions): Promise<Outcome> {
  const metricsToken = randomBytes(16).toString("hex")
  const world = new WorldProcess({
    program: "compiled",
    env: {
      TRUST_PROXY: "true",
      METRICS_TOKEN: metricsToken,
      RESUME_WINDOW_SECONDS: "2",
      NODE_OPTIONS: `--import ${new URL("collect-garbage.mjs", import.meta.url).href}`,
    },
  })
  const players = new Child<ToPlayers, FromPlayers>("the players' process", "players.ts")
  const attackers = new Child<ToAttackers, FromAttackers>("the attackers' process", "attackers.ts")
  try {
    const tokens = await accountsFor(world, options.players + memberCount)
    await world.start()
    const { hostname: host, port } = new URL(world.url)
    const setting: Setting = {
      options,
      world,
      players,
      attackers,
      tokens,
      where: { host, port: Number(port) },
    }
    return await attackWorld(
      setting,
      new WorldWatch({ pid: world.pid ?? 0, url: world.url, token: metricsToken }),
    )
  } finally {
    players.kill()
    attackers.kill()
    await world.remove()
  }
}

interface Setting {
  readonly options: AttackOptions
  readonly world: WorldProcess
  readonly players: Child<ToPlayers, FromPlayers>
  readonly attackers: Child<ToAttackers, FromAttackers>
  readonly tokens: readonly string[]
  readonly where: Where
}

/** Written before the world starts, as `npm run bots` does it, so that no password is hashed for them. */
async function accountsFor(world: WorldProcess, count: number): Promise<readonly string[]> {
  const keys = { databaseUrl: `file:${world.folder}/data/world.sqlite`, jwtSecret }
  const tokenOf = await accountsByKeys(keys, mapFile, count)
  return await Promise.all(Array.from({ length: count }, (_, index) => tokenOf(index)))
}

async function attackWorld(setting: Setting, watch: WorldWatch): Promise<Outcome> {
  const { options, world, players, attackers, tokens, where } = setting
  const { seconds, sockets, seed, calmMs, warmUpMs, newcomerEveryMs, newcomerMaxMs, log } = options
  const read = async (): Promise<PlayerFigures> => (await players.ask({ kind: "read" }, "figures")).figures
  const assets = await assetsOf(world.url)
  await players.ask(
    {
      kind: "start",
      setUp: { where, tokens: tokens.slice(0, options.players), seed, newcomerEveryMs, newcomerMaxMs },
    },
    "walking",
  )
  log(`${options.players} players walk; ${assets.length} files of the page`)
  await pause(warmUpMs)
  await read()
  const calmFrom = watch.readings.length
  watch.read()
  await pause(calmMs)
  const before = await highestStanding(watch)
  const calm = await read()
  log(`calm: p50 ${calm.commands.p50Ms} ms, p99 ${calm.commands.p99Ms} ms of ${calm.commands.count} commands`)

  const attackFrom = watch.readings.length
  const logFrom = world.output.length
  watch.read()
  await attackers.ask(
    { kind: "start", setUp: { where, sockets, seed, tokens: tokens.slice(options.players), assets } },
    "attacking",
  )
  const memory = await memoryDuring(watch, seconds)
  const attack = await read()
  watch.read()
  const attackReadings = watch.readings.slice(attackFrom)
  const { figures } = await attackers.ask({ kind: "stop" }, "stopped")
  log(
    `attack: p50 ${attack.commands.p50Ms} ms, p99 ${attack.commands.p99Ms} ms of ${attack.commands.count} commands`,
  )
  const { standing, backAfterMs } = await standingAgain(watch, before, options.backMaxMs)
  const after = await read()
  watch.stop()
  return {
    seconds,
    sockets,
    players: options.players,
    calm,
    attack,
    after,
    attackers: figures,
    calmReadings: watch.readings.slice(calmFrom, attackFrom),
    attackReadings,
    before,
    standing,
    backAfterMs,
    memory,
    logBytes: Buffer.byteLength(world.output.slice(logFrom)),
  }
}

/** Runs as long as the attack. Memory is measured after 15 s, when all kinds are at work, and at the end. */
async function memoryDuring(watch: WorldWatch, seconds: number): Promise<Outcome["memory"]> {
  const endsAtMs = performance.now() + seconds * 1_000
  if (seconds < memorySecondsMin) {
    await pause(seconds * 1_000)
    return undefined
  }
  await pause(firstMemoryMs)
  const firstBytes = await watch.residentBytes()
  await pause(endsAtMs - performance.now())
  return { firstBytes, lastBytes: await watch.residentBytes() }
}

/** Paths of the page's script, styles and images, the largest first. */
async function assetsOf(url: string): Promise<readonly string[]> {
  const page = await (await fetch(url, { headers: { Accept: "text/html" } })).text()
  const linked = [...page.matchAll(/(?:src|href)="(\/?assets\/[^"]+)"/g)].map(
    ([, path = ""]) => `/${path.replace(/^\//, "")}`,
  )
  if (linked.length === 0) throw new Error("the world's page is not built: npm run build")
  const sized = await Promise.all(
    linked.map(async (path) => ({
      path,
      size: (await (await fetch(`${url}${path}`)).arrayBuffer()).byteLength,
    })),
  )
  return sized.toSorted((one, other) => other.size - one.size).map(({ path }) => path)
}

async function highestStanding(watch: WorldWatch): Promise<Standing> {
  let highest = await watch.standing()
  for (let look = 1; look < looks; look += 1) {
    await pause(lookEveryMs)
    const now = await watch.standing()
    highest = {
      connections: Math.max(highest.connections, now.connections),
      sessions: Math.max(highest.sessions, now.sessions),
      timers: Math.max(highest.timers, now.timers),
      passwordHashes: Math.max(highest.passwordHashes, now.passwordHashes),
      requests: Math.max(highest.requests, now.requests),
      sockets: Math.max(highest.sockets, now.sockets),
    }
  }
  return highest
}

/** Waits until no figure is above its value before the attack. */
async function standingAgain(
  watch: WorldWatch,
  before: Standing,
  backMaxMs: number,
): Promise<{ readonly standing: Standing; readonly backAfterMs: number }> {
  const fromMs = watch.nowMs
  for (;;) {
    const standing = await watch.standing()
    const backAfterMs = watch.nowMs - fromMs
    if (standingNames.every((name) => standing[name] <= before[name]) || backAfterMs > backMaxMs)
      return { standing, backAfterMs }
    await pause(lookEveryMs)
  }
}
