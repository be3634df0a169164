// What each of the server's events changes: the world, the skills, the lines of the chat.
import type { Client } from "@hawser/client"
import type { WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import type { Store } from "./store.ts"
import type { WorldState } from "./world-state.ts"

interface Neighbour {
  readonly username: string
  readonly x: number
  readonly y: number
  /** Their connection is lost; they may come back. */
  readonly away: boolean
}

export interface SurroundingsView {
  readonly username: string
  readonly x: number
  readonly y: number
  readonly mapId: string
  /** The other players in sight, sorted by name. */
  readonly players: readonly Neighbour[]
}

export type SkillsView = Readonly<Record<string, { readonly level: number; readonly xp: number }>>

interface Listening {
  readonly client: Client<WorldContract>
  readonly world: WorldState
  readonly changed: () => void
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  readonly skills: Store<SkillsView>
  readonly setCooldown: (ms: number) => void
  readonly lookAround: () => void
}

export function listenToServer({
  client,
  world,
  changed,
  addTo,
  skills,
  setCooldown,
  lookAround,
}: Listening): void {
  /** Those who are there already are told right after the welcome; they are no news. */
  let isSettled = false
  client.on("welcome", (welcome) => {
    world.welcome(welcome)
    setCooldown(welcome.moveCooldownMs)
    isSettled = false
    changed()
    lookAround()
  })
  client.on("gameUpdate", (update) => {
    world.gameUpdate(update, performance.now())
    changed()
  })
  client.on("chunkUpdate", ({ chunks }) => {
    isSettled = true
    world.addChunks(chunks)
  })
  client.on("skills", (event) => skills.set(event.skills))
  client.on("playerJoined", (player) => {
    world.playerJoined(player, performance.now())
    if (isSettled && player.id !== world.own?.id)
      addTo({ kind: "system", text: `${player.username} has joined` })
    changed()
  })
  client.on("playerLeft", ({ id, username }) => {
    world.playerLeft(id)
    if (id !== world.own?.id) addTo({ kind: "system", text: `${username} has left` })
    changed()
  })
  client.on("chatMessage", ({ channel, sender, message }) => {
    if (channel === "system") addTo({ kind: "system", text: message })
    else if (channel !== "dm" || sender !== world.own?.username)
      addTo({ kind: channel, sender, text: message })
  })
}

/** The same object as before when nothing of it has changed. */
export function surroundingsOf(
  world: WorldState,
  before: SurroundingsView | undefined,
): SurroundingsView | undefined {
  const { own } = world
  if (own === undefined) return undefined
  const players = [...world.figures.values()]
    .flatMap(({ entity }) => (entity.kind === "player" && entity.id !== own.id ? [entity] : []))
    .map(({ username, x, y, away }) => ({ username, x, y, away }))
    .toSorted((one, other) => (one.username < other.username ? -1 : 1))
  const { x, y } = own.moves.predicted
  const next = { username: own.username, mapId: own.mapId, x, y, players }
  return JSON.stringify(next) === JSON.stringify(before) ? before : next
}
