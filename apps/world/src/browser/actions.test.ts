import { HawserError } from "@hawser/client"
import type { ClientStatus } from "@hawser/client"
import { expect, test, vi } from "vitest"
import { createActions } from "./actions.ts"
import { WorldState } from "./world-state.ts"

const player = { id: 1, username: "Ann", x: 4, y: 4, facing: "UP", hp: 10, maxHp: 10, outfit: 0 } as const

/** Gathers with a client that refuses, and returns the lines of the chat. */
async function linesAfterGather(error: HawserError, state: ClientStatus["state"] = "open") {
  const world = new WorldState()
  const map = { mapId: "harbour", mapWidth: 16, mapHeight: 16, chatChannels: [] }
  world.welcome({ player: { ...player, away: false }, ...map, motd: "", moveCooldownMs: 150 })
  const lines: string[] = []
  const refusing = vi.fn(() => Promise.reject(error))
  const actions = createActions({
    client: { current: { state }, command: refusing },
    world,
    addTo: ({ text }) => void lines.push(text),
    changed: () => {},
    lookAround: () => {},
  })
  actions.gather()
  expect(refusing).toHaveBeenCalledOnce()
  await new Promise((resolve) => setImmediate(resolve))
  return lines
}

test("tells a player who gathers too fast to wait, without the developer's text of the rate limit", async () => {
  const message = 'the rate limit of "gather" is exceeded; retry in 578 ms'
  expect(await linesAfterGather(new HawserError("rate_limited", { message, retryAfterMs: 578 }))).toEqual([
    "You gathered nothing. That was too fast: try again in a moment.",
  ])
})

test("reports an unknown outcome of gathering as unknown", async () => {
  const cause = new HawserError("session_expired")
  expect(await linesAfterGather(new HawserError("connection_lost", { cause }))).toEqual([
    "It is unknown whether you gathered something. You were away for longer than the world keeps your place.",
  ])
})
