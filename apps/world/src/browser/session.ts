// One player's time in the world: the connection, what it brings, and what the player does. Tells the HUD through
// stores and the canvas through `world`. Must not know how either draws.
import { createClient, HawserError } from "@hawser/client"
import type { ClientStatus } from "@hawser/client"
import { world as contract } from "../contract.ts"
import type { Direction } from "../contract.ts"
import { addLine } from "./chat-log.ts"
import type { ChatLine, NewChatLine } from "./chat-log.ts"
import { watchChunks } from "./missing-chunks.ts"
import { listenToServer, surroundingsOf } from "./server-events.ts"
import type { SkillsView, SurroundingsView } from "./server-events.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"
import { measureRoundTrip } from "./round-trip.ts"
import { WorldState } from "./world-state.ts"

export interface ConnectionView {
  readonly status: ClientStatus
  /** When the status came, in milliseconds of `performance.now()`. */
  readonly sinceMs: number
}

export type ChatInput = {
  readonly channel: "local" | "global" | "dm"
  readonly message: string
  readonly recipient: string
}

export interface Session {
  readonly world: WorldState
  readonly connection: Store<ConnectionView>
  readonly roundTripMs: Store<number | undefined>
  readonly surroundings: Store<SurroundingsView | undefined>
  readonly skills: Store<SkillsView>
  readonly lines: Store<readonly ChatLine[]>
  /** Shortest time between two steps. */
  readonly moveCooldownMs: () => number
  move(direction: Direction): void
  gather(): void
  say(input: ChatInput): void
  /** Connects again after the server or the strategy ended it. */
  reconnect(): void
  close(): void
}

export interface SessionOptions {
  readonly url: string
  readonly token: string
  /** The token is of no use any more. */
  readonly onLoggedOut: (text: string) => void
}

export function startSession({ url, token, onLoggedOut }: SessionOptions): Session {
  const world = new WorldState()
  const client = createClient(contract, { url, token: () => token })
  const connection = createStore<ConnectionView>({ status: client.current, sinceMs: performance.now() })
  const roundTripMs = createStore<number | undefined>(undefined)
  const surroundings = createStore<SurroundingsView | undefined>(undefined)
  const skills = createStore<SkillsView>({})
  const lines = createStore<readonly ChatLine[]>([])
  let moveCooldownMs = 150
  const addTo = (line: Omit<NewChatLine, "atMs">): void =>
    lines.set(addLine(lines.value, { ...line, atMs: Date.now() }))
  const changed = (): void => surroundings.set(surroundingsOf(world, surroundings.value))
  const stopRoundTrips = measureRoundTrip(client, roundTripMs)
  const chunks = watchChunks(client, world)
  listenToServer({
    client,
    world,
    changed,
    addTo,
    skills,
    setCooldown: (ms) => (moveCooldownMs = ms),
    lookAround: () => chunks.look(),
  })

  client.onStatus((status) => {
    connection.set({ status, sinceMs: performance.now() })
    if (status.state !== "closed" || status.error.code === "client_closed") return
    if (!status.error.code.startsWith("auth_")) return
    end()
    onLoggedOut(status.error.message)
  })

  function end(): void {
    stopRoundTrips()
    chunks.stop()
    client.close()
  }

  /** Errors become lines; what a lost connection leaves open is the badge's business. */
  const report = (error: unknown): void => {
    if (HawserError.is(error) && isConnectionError(error.code)) return
    addTo({ kind: "error", text: error instanceof Error ? error.message : String(error) })
  }

  async function move(direction: Direction): Promise<void> {
    const { number, turned } = world.step(direction, performance.now())
    if (number === undefined && !turned) return
    changed()
    try {
      const { position } = await client.command("move", { direction })
      if (number !== undefined) world.settle(number, position, performance.now())
    } catch (error) {
      if (number !== undefined) world.settle(number, undefined, performance.now())
      if (!HawserError.is(error) || !isRefusedStep(error.code)) report(error)
    }
    chunks.look()
    changed()
  }

  async function gather(): Promise<void> {
    const tile = world.facedTile()
    if (tile === undefined) return
    try {
      const { skill, xpGained, level } = await client.command("gather", tile)
      addTo({ kind: "system", text: `+${xpGained} ${skill} experience (level ${level})` })
    } catch (error) {
      report(error)
    }
  }

  async function say({ channel, message, recipient }: ChatInput): Promise<void> {
    try {
      const input = channel === "dm" ? { channel, message, recipient } : { channel, message }
      const said = await client.command("chatSend", input)
      // The others hear a direct message only at its recipient.
      if (channel === "dm") addTo({ kind: "dm", recipient, text: said.message })
    } catch (error) {
      report(error)
    }
  }

  const whenOpen = (act: () => Promise<void>): void => {
    if (client.current.state === "open") void act()
  }
  return {
    world,
    connection,
    roundTripMs,
    surroundings,
    skills,
    lines,
    moveCooldownMs: () => moveCooldownMs,
    move: (direction) => whenOpen(() => move(direction)),
    gather: () => whenOpen(gather),
    say: (input) => {
      if (client.current.state === "open") void say(input)
      else addTo({ kind: "error", text: "Not connected: the message was not sent." })
    },
    reconnect: () => void client.connect().catch(() => {}),
    close: end,
  }
}

function isRefusedStep(code: string): boolean {
  return code.startsWith("move_") || code === "rate_limited"
}

function isConnectionError(code: string): boolean {
  return code === "connection_lost" || code === "client_closed" || code === "not_connected"
}
