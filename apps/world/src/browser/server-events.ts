// Applies the server's events and the changes of replicas to the world, the skills and the chat.
import type { Client } from "@hawser/client"
import type { ItemKind, WorldContract } from "../contract.ts"
import type { NewChatLine } from "./chat-log.ts"
import { createComings } from "./comings.ts"
import type { ChatInput } from "./speech.ts"
import type { Store } from "./store.ts"
import type { WorldState } from "./world-state.ts"

interface Neighbour {
  readonly username: string
  readonly x: number
  readonly y: number
  /** True while the player's session is detached. */
  readonly away: boolean
}

export interface SurroundingsView {
  readonly username: string
  readonly x: number
  readonly y: number
  readonly mapId: string
  /** The nearest of the other players in sight, sorted by name. */
  readonly players: readonly Neighbour[]
  /** Number of further players in sight. */
  readonly moreCount: number
}

export type GoodsView = Readonly<Record<ItemKind, number>>
export type SkillsView = Readonly<Record<string, { readonly level: number; readonly xp: number }>>

interface Listening {
  readonly client: Client<WorldContract>
  readonly world: WorldState
  /** Called after every change of the own position. */
  readonly changed: () => void
  /** Called after every change of the surroundings. */
  readonly changedAround: () => void
  readonly addTo: (line: Omit<NewChatLine, "atMs">) => void
  /** Adds lines of players, unless they are there. */
  readonly addSaid: (lines: readonly NewChatLine[]) => void
  readonly skills: Store<SkillsView>
  readonly goods: Store<GoodsView>
  readonly channels: Store<readonly ChatInput["channel"][]>
  readonly setCooldown: (ms: number) => void
  readonly lookAround: () => void
}

export function listenToServer({
  client,
  world,
  changed,
  changedAround,
  addTo,
  addSaid,
  skills,
  goods,
  channels,
  setCooldown,
  lookAround,
}: Listening): void {
  const comings = createComings(addTo)
  listenToReplicas(client, world, changedAround)
  client.on("welcome", (welcome) => {
    world.welcome(welcome)
    setCooldown(welcome.moveCooldownMs)
    channels.set(welcome.chatChannels)
    changed()
    lookAround()
  })
  client.on("chunkUpdate", ({ chunks }) => world.addChunks(chunks))
  client.on("skills", (event) => skills.set(event.skills))
  client.on("playerJoined", ({ username }) => comings.add(username, "joined"))
  client.on("playerLeft", ({ id, username }) => {
    if (id !== world.own?.id) comings.add(username, "left")
  })
  client.on("chatMessage", ({ channel, sender, message, sentAtMs }) => {
    if (channel === "system") addTo({ kind: "system", text: message })
    else if (channel !== "dm" || sender !== world.own?.username)
      addSaid([{ kind: channel, sender, text: message, atMs: sentAtMs }])
  })
  client.on("chatHistory", ({ lines }) =>
    addSaid(
      lines.map(({ channel, sender, message, sentAtMs }) => ({
        kind: channel,
        sender,
        text: message,
        atMs: sentAtMs,
      })),
    ),
  )
  client.replica("belongings").subscribe(({ events }) => {
    // Only the own record is in view.
    for (const { kind, record } of events)
      if (kind !== "leave") goods.set({ log: record.log, ore: record.ore })
  })
}

function listenToReplicas(client: Client<WorldContract>, world: WorldState, changed: () => void): void {
  client.replica("players").subscribe(({ events }) => {
    const nowMs = performance.now()
    for (const { kind, id, record } of events) {
      if (kind === "leave") world.remove({ kind: "player", id })
      else world.put({ kind: "player", id, ...record }, nowMs)
    }
    changed()
  })
  client.replica("creatures").subscribe(({ events }) => {
    const nowMs = performance.now()
    for (const { kind, id, record } of events) {
      if (kind === "leave") world.remove({ kind: "creature", id })
      else world.put({ kind: "creature", id, ...record }, nowMs)
    }
  })
  client.replica("resources").subscribe(({ events }) => world.bareTiles.apply(events))
  client.replica("groundItems").subscribe(({ events }) => {
    for (const { kind, id, record } of events) {
      if (kind === "leave") world.groundItems.delete(id)
      else world.groundItems.set(id, record)
    }
  })
}

/** Maximum number of names in the list. */
const namesMax = 24

/** Returns the surroundings; the same object as before if nothing has changed. */
export function surroundingsOf(
  world: WorldState,
  before: SurroundingsView | undefined,
): SurroundingsView | undefined {
  const { own } = world
  if (own === undefined) return undefined
  const { x, y } = own.moves.predicted
  const distanceOf = (other: Neighbour): number => Math.max(Math.abs(other.x - x), Math.abs(other.y - y))
  const others = [...world.figures.values()].flatMap(({ entity }) =>
    entity.kind === "player" && entity.id !== String(own.id) ? [entity] : [],
  )
  const nearest =
    others.length > namesMax
      ? others.toSorted((one, other) => distanceOf(one) - distanceOf(other)).slice(0, namesMax)
      : others
  const players = nearest
    .map((other) => ({ username: other.username, x: other.x, y: other.y, away: other.away }))
    .toSorted((one, other) => (one.username < other.username ? -1 : 1))
  const moreCount = others.length - players.length
  const next = { username: own.username, mapId: own.mapId, x, y, players, moreCount }
  return JSON.stringify(next) === JSON.stringify(before) ? before : next
}
