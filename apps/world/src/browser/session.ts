// One player's session in the page: the connection, its events, and the player's actions. Updates the HUD through
// stores and the canvas through `world`. Must not know how either draws.
import { createClient } from "@hawser/client"
import type { Client, ClientOptions, ClientStats, ClientStatus } from "@hawser/client"
import { world as contract } from "../contract.ts"
import type { Direction, ItemKind, WorldContract, WorldHealth } from "../contract.ts"
import { createActions } from "./actions.ts"
import { addLine, addSaidLines } from "./chat-log.ts"
import type { ChatLine, NewChatLine } from "./chat-log.ts"
import { firstView, hasConnection, nextView } from "./connection-view.ts"
import type { ConnectionView } from "./connection-view.ts"
import { watchChunks } from "./missing-chunks.ts"
import { listenToServer, surroundingsOf } from "./server-events.ts"
import type { GoodsView, SkillsView, SurroundingsView } from "./server-events.ts"
import { noResumptions, showSessionNews } from "./session-news.ts"
import type { ResumptionView } from "./session-news.ts"
import { Speech, nothingUnsaid } from "./speech.ts"
import type { ChatInput, LeftLines, Unsaid } from "./speech.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"
import { measureRoundTrip } from "./round-trip.ts"
import { countRecords } from "./shown-records.ts"
import type { ShownRecords } from "./shown-records.ts"
import { watchAge } from "./stale-world.ts"
import { isOutcomeOfLogin } from "./token-source.ts"
import { WorldState } from "./world-state.ts"

/** Numbers of the connection at one moment. */
interface ConnectionReading {
  readonly sessionId: string | undefined
  readonly stats: ClientStats
  /** Names of the requests without a reply; those that wait for a connection are marked. */
  readonly pending: readonly string[]
}

export interface Session {
  readonly world: WorldState
  readonly connection: Store<ConnectionView>
  readonly roundTripMs: Store<number | undefined>
  /** Whole seconds for which a ping on the open connection has had no answer, from 3 on. */
  readonly silentSeconds: Store<number | undefined>
  readonly surroundings: Store<SurroundingsView | undefined>
  readonly skills: Store<SkillsView>
  /** Number of pieces that the player carries, by kind. */
  readonly goods: Store<GoodsView>
  readonly lines: Store<readonly ChatLine[]>
  /** Channels that the player may use. */
  readonly channels: Store<readonly ChatInput["channel"][]>
  readonly resumptions: Store<ResumptionView>
  /** Age of the shown world, in whole seconds; undefined while it is current. */
  readonly ageSeconds: Store<number | undefined>
  readonly shown: ShownRecords
  /** Lines of the player that the server has not confirmed. */
  readonly unsaid: Store<Unsaid>
  /** Shortest time between two steps. */
  readonly moveCooldownMs: () => number
  move(direction: Direction): void
  gather(): void
  /** Puts a carried piece onto the ground. */
  drop(item: ItemKind): void
  /** Sends chat lines; `close` stops it. */
  readonly speech: Pick<Speech, "say" | "setAside" | "resume">
  /** Connects again after the server or the strategy has closed the client. */
  reconnect(): void
  readConnection(): ConnectionReading
  /** Queries the health of the world's server; undefined without a connection. */
  askHealth(): Promise<WorldHealth | undefined>
  /** Cuts the connection like a broken network. */
  pullThePlug(): void
  /** Ends the session. Returns the player's lines that have no outcome yet. */
  close(): LeftLines
}

type TokenSource = ClientOptions["token"]

export interface SessionOptions {
  readonly url: string
  /** Source of tokens; called before every dial, and when the server requests a fresh one. */
  readonly token: TokenSource
  /** Lines that an earlier session has left. */
  readonly left: LeftLines
  /** Called when the log-in is refused for good. */
  readonly onRefused: (text: string) => void
}

export function startSession({ url, token, left, onRefused }: SessionOptions): Session {
  const world = new WorldState()
  const client = createClient(contract, { url, token, onError })
  const stores = createStores(client.current)
  const { connection, surroundings, skills, goods, lines, channels, resumptions, unsaid, ageSeconds } = stores
  let moveCooldownMs = 150
  const addTo = (line: Omit<NewChatLine, "atMs">): void =>
    lines.set(addLine(lines.value, { ...line, atMs: Date.now() }))
  const changed = (): void => surroundings.set(surroundingsOf(world, surroundings.value))
  const soonChanged = createSoon(changed)
  const stopRoundTrips = measureRoundTrip(client, stores)
  const chunks = watchChunks(client, world)
  const speech = new Speech({ client, addTo, unsaid })
  showSessionNews({ client, addTo, resumptions })
  listenToServer({
    client,
    world,
    changed,
    changedAround: () => soonChanged.call(),
    addTo,
    addSaid: (said) => lines.set(addSaidLines(lines.value, said)),
    skills,
    goods,
    channels,
    setCooldown: (ms) => (moveCooldownMs = ms),
    lookAround: () => chunks.look(),
  })

  const shown = countRecords(client)
  const age = watchAge(client.replica("players"), () => world.own !== undefined, ageSeconds)

  client.onStatus((status) => {
    connection.set(nextView(connection.value, status, performance.now()))
    age.look()
    const refusal = refusalOf(status)
    if (refusal !== undefined) onRefused(refusal)
  })

  function end(): LeftLines {
    stopRoundTrips()
    age.stop()
    soonChanged.stop()
    chunks.stop()
    const leaving = speech.stop()
    client.close()
    return leaving
  }

  speech.resume(left)

  const actions = createActions({ client, world, addTo, changed, lookAround: () => chunks.look() })
  return {
    world,
    ...stores,
    shown,
    moveCooldownMs: () => moveCooldownMs,
    ...actions,
    speech,
    reconnect: () => void client.connect().catch(() => {}),
    readConnection: () => readConnection(client),
    askHealth: () => askHealth(client),
    pullThePlug: () => client.cut(),
    close: end,
  }
}

/** Returns why the log-in was refused for good; undefined if it was not. */
function refusalOf(status: ClientStatus): string | undefined {
  if (status.state !== "closed" || !status.error.code.startsWith("auth_")) return undefined
  return status.error.message
}

function onError(error: unknown): void {
  if (!isOutcomeOfLogin(error)) reportError(error)
}

function createStores(status: ClientStatus) {
  return {
    connection: createStore<ConnectionView>(firstView(status, performance.now())),
    roundTripMs: createStore<number | undefined>(undefined),
    silentSeconds: createStore<number | undefined>(undefined),
    surroundings: createStore<SurroundingsView | undefined>(undefined),
    skills: createStore<SkillsView>({}),
    goods: createStore<GoodsView>({ log: 0, ore: 0 }),
    lines: createStore<readonly ChatLine[]>([]),
    channels: createStore<readonly ChatInput["channel"][]>(["local", "dm"]),
    resumptions: createStore<ResumptionView>(noResumptions),
    unsaid: createStore<Unsaid>(nothingUnsaid),
    ageSeconds: createStore<number | undefined>(undefined),
  }
}

function readConnection(client: Client<WorldContract>): ConnectionReading {
  return {
    sessionId: client.sessionId,
    stats: client.stats(),
    pending: client.pending().map(({ name, state }) => (state === "waiting" ? `${name} (waits)` : name)),
  }
}

async function askHealth(client: Client<WorldContract>): Promise<WorldHealth | undefined> {
  if (!hasConnection(client.current)) return undefined
  // If the connection is lost before the answer, there is none.
  return await client.query("worldHealth", undefined, { whenOffline: "drop" }).catch(() => undefined)
}

/** Delay of the list of names, in milliseconds: it need not change with every step of a player. */
const soonMs = 150

/** Calls `work` once for all calls within `soonMs`. */
function createSoon(work: () => void): { call(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = (): void => {
    timer = undefined
    work()
  }
  return {
    call() {
      timer ??= setTimeout(run, soonMs)
    },
    stop: () => clearTimeout(timer),
  }
}
