// The player's actions except chat. Without a connection steps are dropped, because they would be late; gathering
// waits.
import { HawserError } from "@hawser/client"
import type { Client, ClientStatus } from "@hawser/client"
import type { Direction, ItemKind, WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { patientMs } from "./patience.ts"
import { isOutcomeUnknown, reasonFor } from "./player-words.ts"
import type { WorldState } from "./world-state.ts"

export interface Actions {
  move(direction: Direction): void
  gather(): void
  drop(item: ItemKind): void
}

/** The part of the client that acts. */
interface ActingClient extends Pick<Client<WorldContract>, "command"> {
  readonly current: Pick<ClientStatus, "state">
}

interface Acting {
  readonly client: ActingClient
  readonly world: WorldState
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  /** Called after every change of the own figure. */
  readonly changed: () => void
  readonly lookAround: () => void
}

export function createActions({ client, world, addTo, changed, lookAround }: Acting): Actions {
  const isClosed = (): boolean => client.current.state === "closed"
  const report = (failed: string, error: unknown): void => {
    addTo({ kind: "error", text: `${failed} ${reasonFor(error)}` })
  }

  async function move(direction: Direction): Promise<void> {
    // Without a connection no step is sent, so none is predicted.
    const { state } = client.current
    if (state !== "open" && state !== "doubtful") return
    const { number, turned } = world.step(direction, performance.now())
    if (number === undefined && !turned) return
    changed()
    try {
      const { position } = await client.command("move", { direction }, { whenOffline: "drop" })
      if (number !== undefined) world.settle(number, position, performance.now())
    } catch (error) {
      if (number !== undefined) world.settle(number, undefined, performance.now())
      // After the client's end, the error of a step is the end's, which the banner shows.
      const isExpected = HawserError.is(error) && isExpectedOfStep(error.code)
      if (!isExpected && !isClosed()) report("A step failed.", error)
    }
    lookAround()
    changed()
  }

  /** True while a request is pending: repeated key presses in an outage gather once. */
  let isGathering = false

  /** Sends an idempotency key, so that a repetition in a new session counts once. */
  async function gather(): Promise<void> {
    const tile = world.facedTile()
    if (tile === undefined || isGathering || isClosed()) return
    isGathering = true
    try {
      const options = { key: randomKey(), timeoutMs: patientMs }
      const { skill, xpGained, level } = await client.command("gather", tile, options)
      addTo({ kind: "system", text: `+${xpGained} ${skill} experience (level ${level})` })
    } catch (error) {
      if (HawserError.is(error) && error.code === "client_closed") return
      const isUnknown = isOutcomeUnknown(error)
      report(isUnknown ? "It is unknown whether you gathered something." : "You gathered nothing.", error)
    } finally {
      isGathering = false
    }
  }

  /** Sends an idempotency key, like `gather`. */
  async function drop(item: ItemKind): Promise<void> {
    if (isClosed()) return
    try {
      await client.command("drop", { item }, { key: randomKey(), timeoutMs: patientMs })
    } catch (error) {
      if (HawserError.is(error) && error.code === "client_closed") return
      const isUnknown = isOutcomeUnknown(error)
      report(isUnknown ? "It is unknown whether you put something down." : "You put nothing down.", error)
    }
  }

  return {
    move: (direction) => void move(direction),
    gather: () => void gather(),
    drop: (item) => void drop(item),
  }
}

/** Refusals that the figure's position shows, and outages, which the badge shows. */
function isExpectedOfStep(code: string): boolean {
  const outages = ["connection_lost", "client_closed", "not_connected", "dropped", "timeout", "buffer_full"]
  return code.startsWith("move_") || code === "rate_limited" || outages.includes(code)
}

/** Not `crypto.randomUUID()`, which is missing in a page without TLS. */
function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-")
}
