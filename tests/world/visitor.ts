// A player in the world through @hawser/client, in either profile, with a record of received messages.
import { createClient } from "@hawser/client"
import { profile20 } from "@hawser/client/profile20"
import { HawserError } from "@hawser/protocol"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { directions, world as contract } from "../../apps/world/src/contract.ts"
import type { Direction } from "../../apps/world/src/contract.ts"
import { newAccount } from "../conformance-2.0/player.ts"
import { caseContext } from "./case-context.ts"
import { world20 } from "./contract-20.ts"
import type { WorldProcess } from "./start-world.ts"

export interface Tile {
  readonly x: number
  readonly y: number
}

interface Chat {
  readonly channel: "local" | "dm"
  readonly message: string
  readonly recipient?: string
}

/** Messages that a visitor received so far. */
class Surroundings {
  /** Players in sight: name to tile, as of the last update. */
  readonly seen = new Map<string, Tile>()
  /** Lines of chat, except those of the system. */
  readonly lines: string[] = []
  /** Numbers of the players who left. */
  readonly left: number[] = []
  readonly errors: unknown[] = []

  see(username: string, { x, y }: Tile): void {
    this.seen.set(username, { x, y })
  }

  addLine(line: { readonly channel: string; readonly sender: string; readonly message: string }): void {
    if (line.channel !== "system") this.lines.push(`${line.channel} ${line.sender}: ${line.message}`)
  }
}

export interface Visitor {
  readonly id: number
  readonly username: string
  readonly around: Surroundings
  /** Resolves to the new tile. */
  move(direction: Direction): Promise<Tile>
  say(chat: Chat): Promise<unknown>
  /** Resolves to the coordinates of the 3×3 chunks around a tile, each with the ground of its first tile. */
  chunksAt(
    tile: Tile,
  ): Promise<readonly (readonly [chunkX: number, chunkY: number, ground: number | undefined])[]>
  leave(): void
}

interface Login {
  readonly url: string
  readonly token: string
  readonly around: Surroundings
}

type Actions = Omit<Visitor, "id" | "username" | "around">

export async function visit(world: WorldProcess, profile: "hawser.1" | "2.0"): Promise<Visitor> {
  const { id, username, token } = await newAccount(caseContext(world))
  const around = new Surroundings()
  const login = { url: world.webSocketUrl, token, around }
  const actions = profile === "2.0" ? await enter20(login) : await enterNative(login)
  onTestFinished(() => actions.leave())
  return { id, username, around, ...actions }
}

const optionsOf = ({ url, token, around }: Login) => ({
  url,
  token,
  webSocket: WebSocket,
  autoConnect: false,
  onError: (error: unknown) => void around.errors.push(error),
})

async function enterNative(login: Login): Promise<Actions> {
  const { around } = login
  const client = createClient(contract, optionsOf(login))
  client.replica("players").subscribe(({ events }) => {
    for (const { record } of events) around.see(record.username, record)
  })
  client.on("playerLeft", ({ id }) => around.left.push(id))
  client.on("chatMessage", (line) => around.addLine(line))
  await client.connect()
  return {
    move: async (direction) => (await client.command("move", { direction })).position,
    say: (chat) => client.command("chatSend", chat),
    async chunksAt({ x, y }) {
      const { chunks } = await client.query("mapChunks", { centerX: x, centerY: y, radius: 1 })
      return chunks.map(({ chunkX, chunkY, layers }) => [chunkX, chunkY, layers[0]?.gids[0]])
    },
    leave: () => client.close(),
  }
}

async function enter20(login: Login): Promise<Actions> {
  const { around } = login
  const client = createClient(world20, { ...optionsOf(login), profile: profile20() })
  client.on("gameUpdate", ({ entities }) => {
    for (const entity of entities) if ("username" in entity) around.see(entity.username, entity)
  })
  client.on("playerLeft", ({ player_id: id }) => around.left.push(id))
  client.on("chatMessage", (line) => around.addLine(line))
  await client.connect()
  return {
    move: async (direction) => (await client.command("move", { direction })).new_position,
    say: (chat) => client.command("chatSend", chat),
    async chunksAt({ x, y }) {
      const { chunks } = await client.query("mapChunks", { center_x: x, center_y: y, radius: 1 })
      return chunks.map(({ chunk_x: chunkX, chunk_y: chunkY, tiles }) => [chunkX, chunkY, tiles[0]?.[0]?.gid])
    },
    leave: () => client.close(),
  }
}

/** Moves one step in the first free direction. */
export async function takeFreeStep(visitor: Visitor): Promise<Tile> {
  for (const direction of directions) {
    try {
      return await visitor.move(direction)
    } catch (error) {
      if (!HawserError.is(error) || !error.code.startsWith("move_")) throw error
    }
  }
  throw new Error("no direction is free")
}
