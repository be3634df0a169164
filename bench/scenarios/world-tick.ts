// The world: 1,000 clients, each of which sees about twenty walking players, 20 times a second. An update is one
// client's view brought up to date for one tick. The server moves the players, so only its sending is measured.
// Afterwards the messages of some clients are decoded and compared, tick by tick, with the same world computed by the
// load.
import { LatencyHistogram } from "../latency-histogram.ts"
import { createWorldReader } from "../load/world-readers.ts"
import type { WorldReader } from "../load/world-readers.ts"
import { clockMs } from "../servers/control.ts"
import { World } from "../servers/world-model.ts"
import type { Player } from "../servers/world-model.ts"
import { bytesOf, pause, until } from "../trial/trial.ts"
import type { Trial } from "../trial/trial.ts"
import { costs } from "./scenario.ts"
import type { Figures, Pace, Scenario } from "./scenario.ts"

const checkedCount = 8
const warmUpMs = 2_000
const ticksMax = 4_096
const never = -1

/** Arrival time of each tick at each client. */
class Arrivals {
  readonly #atMs: Float64Array
  readonly #ticks: Int32Array

  constructor(playerCount: number) {
    this.#atMs = new Float64Array(playerCount * ticksMax)
    this.#ticks = new Int32Array(playerCount).fill(never)
  }

  listen({ connections }: Trial): void {
    for (const connection of connections) {
      connection.listener = {
        event: () => {
          const { index } = connection
          const tick = connection.tick() ?? (this.#ticks[index] ?? 0) + 1
          if (tick === never) return
          this.#ticks[index] = tick
          if (tick < ticksMax) this.#atMs[index * ticksMax + tick] = clockMs()
        },
      }
    }
  }

  /** The last tick that has arrived at every client. */
  get complete(): number {
    return this.#ticks.reduce((least, tick) => Math.min(least, tick), ticksMax)
  }

  /** Ages of updates at their arrival, from the time at which their tick was due. A skipped tick adds no entry. */
  ages(dueAtMs: readonly number[], firstTick: number): LatencyHistogram {
    const ages = new LatencyHistogram()
    for (const [tick, due] of dueAtMs.entries()) {
      if (tick < firstTick) continue
      for (let index = 0; index < this.#ticks.length; index += 1) {
        const atMs = this.#atMs[index * ticksMax + tick] ?? 0
        if (atMs > 0) ages.record(atMs - due)
      }
    }
    return ages
  }
}

/**
 * @throws when some client's copy differs from the expected view at any tick. Returns the number of compared records.
 */
async function compare(trial: Trial, tickCount: number): Promise<number> {
  const { worldReader } = trial.entry
  if (worldReader === undefined) throw new Error("this server's entry has no worldReader")
  const checked = trial.connections.slice(0, checkedCount)
  const views: { reader: WorldReader; index: number; messages: Buffer[] }[] = []
  for (const { index, record = [] } of checked) {
    // All messages before the last `tickCount` ones belong to the time before the first tick.
    const reader = await createWorldReader(worldReader)
    const messages = [...record]
    for (const message of messages.splice(0, messages.length - tickCount)) reader.apply(message)
    views.push({ reader, index, messages })
  }
  const world = new World(trial.connections.length)
  let compared = 0
  for (let tick = 0; tick < tickCount; tick += 1) {
    world.step()
    for (const { reader, index, messages } of views) {
      const message = messages[tick]
      if (message !== undefined) reader.apply(message)
      compared += compareOne(world, reader, { index, tick })
    }
  }
  return compared
}

function compareOne(
  world: World,
  { players, seesMore = false }: WorldReader,
  { index, tick }: { readonly index: number; readonly tick: number },
): number {
  const viewer = world.players[index]
  const expected = viewer === undefined ? [] : world.visibleTo(viewer)
  const isRight = (player: Player): boolean => {
    const seen = players.get(player.id)
    return seen?.x === player.x && seen.y === player.y && seen.dir === player.dir
  }
  const others = seesMore ? world.players.filter(({ id }) => players.has(id)) : expected
  if (!expected.every(isRight) || !others.every(isRight) || players.size !== others.length)
    throw new Error(
      `client ${index} at tick ${tick}: it sees ${players.size} players instead of ${expected.length}, or wrong places`,
    )
  return expected.length
}

async function measureWorld(trial: Trial, playerCount: number, { quick }: Pace): Promise<Figures> {
  trial.recordedCount = checkedCount
  await trial.connect(playerCount)
  await pause(500)
  const arrivals = new Arrivals(playerCount)
  arrivals.listen(trial)
  await trial.server.startWorld()
  await pause(warmUpMs)
  const firstTick = arrivals.complete + 1
  const bytesBefore = bytesOf(trial)
  const close = await trial.measure()
  await pause(quick ? 5_000 : 15_000)
  const window = await close()
  const bytes = bytesOf(trial) - bytesBefore
  const ticksMeasured = arrivals.complete + 1 - firstTick
  const dueAtMs = await trial.server.stopWorld()
  await until(
    () => arrivals.complete + 1 >= dueAtMs.length,
    () => `a client has only ${arrivals.complete + 1} of ${dueAtMs.length} ticks`,
  )
  const updates = ticksMeasured * playerCount
  const recordsCompared = await compare(trial, dueAtMs.length)
  const ages = arrivals.ages(dueAtMs, firstTick)
  return {
    ...window,
    updates,
    ticksPerSecond: ticksMeasured / window.seconds,
    ...costs(window.serverCpuMs, updates),
    bytesPerUpdate: bytes / updates,
    bytesPerClientPerSecond: bytes / playerCount / window.seconds,
    agesP50Ms: ages.quantileMs(0.5),
    agesP99Ms: ages.quantileMs(0.99),
    recordsPerUpdate: recordsCompared / (dueAtMs.length * checkedCount),
    recordsCompared,
  }
}

function worldOf(name: string, playerCount: number, isExtra: boolean): Scenario {
  const crowd = playerCount.toLocaleString("en")
  return {
    name,
    title: "A world with areas of interest",
    purpose: "world",
    rows: [{ name, title: `${crowd} clients, 20 ticks a second, about 20 neighbours` }],
    isExtra,
    allowsConflation: true,
    playerCount,
    run: async (trial, pace) => [{ row: name, figures: await measureWorld(trial, playerCount, pace) }],
  }
}

export const worldTick = worldOf("world-tick", 1_000, false)

/** Figures of the cost by the size of the crowd. */
export const worldGrowth: readonly Scenario[] = [250, 500, 2_000].map((playerCount) =>
  worldOf(`world-${playerCount}`, playerCount, true),
)

/** Number of clients by row. */
export const worldSizes: ReadonlyMap<string, number> = new Map(
  [worldTick, ...worldGrowth].flatMap(({ rows, playerCount }) =>
    rows.map(({ name }) => [name, playerCount] as const),
  ),
)
