// What the player does beside talking. While the connection is away steps are dropped, because a step is meant for now;
// gathering waits.
import { HawserError } from "@hawser/client"
import type { Client } from "@hawser/client"
import type { Direction, WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { patientMs } from "./patience.ts"
import type { WorldState } from "./world-state.ts"

export interface Actions {
  move(direction: Direction): void
  gather(): void
}

interface Acting {
  readonly client: Client<WorldContract>
  readonly world: WorldState
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  /** Call after every change of the own figure. */
  readonly changed: () => void
  readonly lookAround: () => void
}

export function createActions({ client, world, addTo, changed, lookAround }: Acting): Actions {
  /** Errors become lines; a step that a lost connection leaves open is the badge's business. */
  const report = (error: unknown): void => {
    addTo({ kind: "error", text: error instanceof Error ? error.message : String(error) })
  }

  async function move(direction: Direction): Promise<void> {
    // Nor is the figure moved ahead of a server that will not hear of it.
    if (client.current.state !== "open") return
    const { number, turned } = world.step(direction, performance.now())
    if (number === undefined && !turned) return
    changed()
    try {
      const { position } = await client.command("move", { direction }, { whenOffline: "drop" })
      if (number !== undefined) world.settle(number, position, performance.now())
    } catch (error) {
      if (number !== undefined) world.settle(number, undefined, performance.now())
      if (!HawserError.is(error) || !isExpectedOfStep(error.code)) report(error)
    }
    lookAround()
    changed()
  }

  /** One at a time: whoever presses the key through an outage wants to gather once. */
  let isGathering = false

  /** Under a key, so that it may be sent again even when the session is lost, and still counts once. */
  async function gather(): Promise<void> {
    const tile = world.facedTile()
    if (tile === undefined || isGathering || client.current.state === "closed") return
    isGathering = true
    try {
      const options = { key: randomKey(), timeoutMs: patientMs }
      const { skill, xpGained, level } = await client.command("gather", tile, options)
      addTo({ kind: "system", text: `+${xpGained} ${skill} experience (level ${level})` })
    } catch (error) {
      if (!HawserError.is(error) || error.code !== "client_closed") report(error)
    } finally {
      isGathering = false
    }
  }

  return { move: (direction) => void move(direction), gather: () => void gather() }
}

/** Refusals that the figure shows by where it stands, and outages, which the badge shows. */
function isExpectedOfStep(code: string): boolean {
  const outages = ["connection_lost", "client_closed", "not_connected", "dropped", "timeout"]
  return code.startsWith("move_") || code === "rate_limited" || outages.includes(code)
}

/** Not `crypto.randomUUID()`, which a page without TLS does not have. */
function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-")
}
