// Game of the world: players enter, leave, act, and receive changes. Connects the rules to the server's sessions.
import { HawserError, encodedArray, encodedMap } from "@hawser/server"
import type { SessionEnded, SessionOpened } from "@hawser/server"
import { carriedMax, moveCooldownMs, world } from "../../contract.ts"
import type { ChunkPayload, Direction, ItemKind, Ledger, WorldContract } from "../../contract.ts"
import { channelsFor } from "../../rules/chat.ts"
import type { WorldMap } from "../../rules/map.ts"
import { stepFrom } from "../../rules/movement.ts"
import type { Tile } from "../../rules/movement.ts"
import { gatherXp, levelOf, skillLevels, stepXp } from "../../rules/skills.ts"
import type { SkillName } from "../../rules/skills.ts"
import type { KnownPlayer, Progress } from "../store/player-record.ts"
import { ChatRoom } from "./chat-room.ts"
import { ChunkStore, chunkKeyAt, pushRadius, queryRadiusMax } from "./chunk-store.ts"
import { Creatures } from "./creatures.ts"
import { Departures } from "./departures.ts"
import { GroundItems } from "./ground-items.ts"
import { Pieces } from "./pieces.ts"
import { Players } from "./player-state.ts"
import type { PlayerRecords, PlayerState } from "./player-state.ts"
import type { WorldSession, WorldUser } from "./world-types.ts"
import { answerAboutOneself } from "./queries.ts"
import { Resources } from "./resources.ts"
import { openSight } from "./sight.ts"
import { piecesOf } from "./standing.ts"
import type { TickTimes } from "./tick.ts"
import type { WorldServer } from "./world-types.ts"

export interface GameOptions {
  readonly server: WorldServer
  readonly map: WorldMap
  readonly motd: string
  readonly random: () => number
  readonly wallClockMs: () => number
  /** Saves in the background. */
  readonly save: (progress: readonly Progress[]) => void
  /** True while a player's progress is newer than the store. */
  readonly isUnsaved: (id: number) => boolean
  /** Reads a player from the store; undefined if there is none, or none who may play. */
  readonly read: (id: number) => Promise<KnownPlayer | undefined>
  readonly onError: (error: unknown) => void
  readonly tickTimes: () => TickTimes
}

/** Pieces of wood and ore by place, and the entries of the ledger. */
export interface PiecesCount extends Readonly<Ledger> {
  readonly standing: number
  readonly ground: number
  /** By players in the world and by those who left recently. */
  readonly carried: number
}

/** Steps between two `skills` events for exploration, so that walking does not double the traffic. */
const skillPushSteps = 10

const itemOf = { tree: "log", rock: "ore" } as const
const skillFor = { tree: "woodcutting", rock: "mining" } as const
const nameOf: Readonly<Record<ItemKind, string>> = { log: "wood", ore: "ore" }

export class Game {
  readonly players: Players
  readonly #pieces: Pieces
  readonly #chat: ChatRoom
  readonly #departures: Departures
  readonly #creatures: Creatures
  readonly #resources: Resources
  readonly #groundItems: GroundItems
  readonly #options: GameOptions
  readonly #records: PlayerRecords
  readonly #chunks: ChunkStore
  /** Players who entered or moved since terrain was last pushed to them. */
  readonly #awaitingTerrain = new Set<PlayerState>()
  #tick = 0
  #nowMs = 0

  constructor(options: GameOptions) {
    const { server, map, random } = options
    this.#options = options
    this.#chunks = new ChunkStore(map)
    this.#records = {
      players: server.replica("players"),
      belongings: server.replica("belongings"),
      departed: server.replica("departed"),
      mapId: map.id,
    }
    this.players = new Players(this.#records)
    this.#pieces = new Pieces(server.replica("ledger"))
    this.#chat = new ChatRoom(server, this.players, options.wallClockMs)
    this.#departures = new Departures({
      departed: this.#records.departed,
      isUnsaved: options.isUnsaved,
      onStored: (standing) => this.#pieces.add("stored", piecesOf(standing)),
    })
    this.#creatures = new Creatures({
      terrain: map,
      zones: map.creatureZones,
      random,
      shown: server.replica("creatures"),
    })
    this.#resources = new Resources(map, server.replica("resources"), this.#pieces)
    this.#groundItems = new GroundItems(map, server.replica("groundItems"), this.#pieces)
    // No client may join.
    server.topicKind("map", {})
    server.onSession((opened) => this.#enter(opened))
    server.onSessionRestored((session) => this.#restore(session))
    server.onSessionEnd((ended) => this.#leave(ended))
    server.onAttachment((session) => this.#showAttachment(session))
    this.#handle(server)
  }

  /**
   * Continues the world that the records hold, or begins one. Called once, before the first tick; with a journal after its recovery.
   * Players whose sessions have not returned have left.
   */
  begin(nowMs: number): void {
    this.#nowMs = nowMs
    for (const part of [this.#creatures, this.#resources, this.#groundItems]) part.begin(nowMs)
    this.#chat.begin()
    const { players, departed } = this.#records
    for (const [id] of [...players]) if (this.players.get(id) === undefined) this.players.depart(id)
    for (const [id] of departed) this.#departures.add(id, this.#tick)
    this.#options.save(this.players.progress([...departed].map(([id]) => id)))
  }

  /** Returns where the pieces of wood and ore are, and the ledger. Standing, on the ground and carried are grown − decayed − stored. */
  pieces(): PiecesCount {
    const { server } = this.#options
    let standing = 0
    for (const { stock } of server.replica("resources").values()) standing += stock
    let carried = 0
    for (const replica of [this.#records.belongings, this.#records.departed])
      for (const [, goods] of replica) carried += piecesOf(goods)
    return { standing, ground: server.replica("groundItems").size, carried, ...this.#pieces.entries }
  }

  /**
   * Runs one tick. A failure of one system or player does not affect the others. At the end each viewer receives the
   * nearby changes, then each player who has moved receives the terrain around the new tile.
   */
  tick(nowMs: number): void {
    this.#tick += 1
    this.#nowMs = nowMs
    this.#departures.expire(this.#tick)
    for (const system of [this.#creatures, this.#resources, this.#groundItems])
      this.#isolated(() => system.tick(nowMs))
    this.#isolated(() => this.#options.server.flush())
    for (const player of this.#awaitingTerrain) this.#isolated(() => this.#showTerrain(player))
  }

  /** Returns the progress of all players in the world, for the store. */
  progress(): Progress[] {
    return this.players.progress(this.players.ids)
  }

  #isolated(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #enter({ session, replaces }: SessionOpened<WorldUser, WorldContract>): void {
    const { server, map, motd } = this.#options
    const { record } = session.user
    const player = this.#place(record, session)
    const seen = this.players.seen(record)

    session.send("welcome", {
      player: seen,
      mapId: map.id,
      mapWidth: map.width,
      mapHeight: map.height,
      motd,
      moveCooldownMs,
      chatChannels: channelsFor(record.role),
    })
    this.#chat.tell(player)
    this.#chat.say(player, motd)
    this.#showSkills(player)
    session.send("arrival", { playerId: record.id, others: this.players.size - 1 })
    if (replaces.length === 0)
      server.topic(`map:${map.id}`).publish("playerJoined", seen, { except: session })
  }

  /** Puts a player into the world, with the views of the session. */
  #place(record: KnownPlayer, session: WorldSession): PlayerState {
    const { server, map } = this.#options
    this.#pieces.add("stored", -this.players.stand(record, !session.attached))
    const { x, y } = this.players.standingOf(record)
    const sight = openSight(server, session, { x, y })
    const player = { id: session.user.id, record, session, sight, pushedChunk: undefined }
    this.players.add(player)
    this.#awaitingTerrain.add(player)
    server.topic(`map:${map.id}`).subscribe(session)
    return player
  }

  /**
   * Puts the player of a session back that began in an earlier process, where the records say. Neither the player nor the others are
   * greeted. A player who cannot be read may not play on: a later save of old progress would overwrite the newer one.
   */
  async #restore(session: WorldSession): Promise<void> {
    const record = await this.#options.read(session.user.record.id).catch((error: unknown) => {
      session.end("sys_service_unavailable", "your player cannot be read; log in again later")
      throw error
    })
    if (!session.active) return
    if (record === undefined) session.end("auth_forbidden")
    else this.#place(record, session)
  }

  #leave({ session, cause }: SessionEnded<WorldUser, WorldContract>): void {
    const { id } = session.user
    const player = this.players.get(id)
    // A takeover is no departure, and a late end of an old session does not concern the current one.
    if (player === undefined || cause === "replaced" || player.session !== session) return
    const { server, map, save } = this.#options
    const progress = this.players.progress([id])
    this.players.delete(player)
    this.players.depart(id)
    this.#departures.add(id, this.#tick)
    this.#awaitingTerrain.delete(player)
    const { username } = player.record
    // At a shutdown no departure is published: all players return together.
    if (cause !== "server_shutdown")
      server.topic(`map:${map.id}`).publish("playerLeft", { id: player.record.id, username, reason: cause })
    save(progress)
  }

  /** Publishes whether the player's session is attached. */
  #showAttachment(session: WorldSession): void {
    const player = this.players.get(session.user.id)
    if (player?.session !== session) return
    this.#records.players.patch(player.id, { away: !session.attached })
  }

  /** Pushes the chunks of a new neighbourhood. A detached player receives them after the resume. */
  #showTerrain(player: PlayerState): void {
    const { session } = player
    if (!session.attached) return
    this.#awaitingTerrain.delete(player)
    const position = this.players.place(player)
    const chunk = chunkKeyAt(position)
    if (chunk === player.pushedChunk) return
    player.pushedChunk = chunk
    const chunks = encodedArray<ChunkPayload>(this.#chunks.around(position, pushRadius))
    session.send("chunkUpdate", encodedMap({ position, chunks }))
  }

  #handle(server: WorldServer): void {
    // Not atomic: a player whose step is blocked turns nevertheless.
    server.command("move", { atomic: false }, ({ input, session, afterReply }) => {
      const player = this.#player(session)
      const previous = this.players.place(player)
      const to = this.#nextTile(player, input.direction)
      const { xp, levelled } = server.atomic(() => {
        this.#walk(player, to, input.direction)
        return this.#gain(player, "exploration", stepXp)
      })
      if (levelled || xp % skillPushSteps === 0) afterReply(() => this.#showSkills(player))
      return { position: this.players.place(player), previous, movedAtMs: this.#options.wallClockMs() }
    })

    // Role of the session, not of the player state: a fresh token or a new session may have another role.
    server.command("chatSend", ({ input, session }) =>
      this.#chat.speak(this.#player(session), input, session.user.record.role),
    )

    server.command("gather", ({ input, session, afterReply }) => {
      const player = this.#player(session)
      const skill = skillFor[this.#gather(player, input)]
      const { xp } = this.#gain(player, skill, gatherXp)
      afterReply(() => this.#showSkills(player))
      return { skill, xpGained: gatherXp, level: levelOf(xp), xp }
    })

    server.command("drop", ({ input, session }) => ({ left: this.#drop(this.#player(session), input.item) }))

    server.query("mapChunks", ({ input }) => {
      const { map } = this.#options
      const { centerX, centerY } = input
      if (centerX < 0 || centerY < 0 || centerX >= map.width || centerY >= map.height) {
        throw world.error("map_invalid_coords", {
          message: `${centerX},${centerY} is outside of ${map.width}×${map.height} tiles`,
        })
      }
      const radius = Math.min(input.radius, queryRadiusMax)
      const chunks = encodedArray<ChunkPayload>(this.#chunks.around({ x: centerX, y: centerY }, radius))
      return encodedMap({ mapId: map.id, centerX, centerY, radius, chunks })
    })

    answerAboutOneself(server, (session) => this.players.belongings(this.#player(session)))
    server.query("worldHealth", () => {
      const { p50Ms, p99Ms } = this.#options.tickTimes()
      return { players: this.players.size, tickP50Ms: p50Ms, tickP99Ms: p99Ms }
    })
  }

  /** Returns the tile of a step. @throws HawserError if the step is blocked; the player turns nevertheless. */
  #nextTile(player: PlayerState, direction: Direction): Tile {
    const current = this.players.place(player)
    const step = stepFrom(this.#options.map, current, direction)
    if (step.ok) return step.to
    this.#records.players.patch(player.id, { facing: direction })
    const message = `you cannot go ${direction} from ${current.x},${current.y}`
    throw world.error(step.code, { current }, { message })
  }

  #walk(player: PlayerState, to: Tile, facing: Direction): void {
    this.#records.players.patch(player.id, { ...to, facing })
    player.sight.moveTo(to)
    this.#awaitingTerrain.add(player)
    const found = this.#groundItems.at(to)
    if (found === undefined || !this.#carry(player, found)) return
    this.#groundItems.take(to)
    this.#chat.say(player, `You take up a piece of ${nameOf[found]}.`)
  }

  /** Adds a piece to what a player carries. Returns false if the player's hands are full. */
  #carry(player: PlayerState, item: ItemKind): boolean {
    const carried = this.players.belongings(player)[item]
    if (carried >= carriedMax) return false
    this.#records.belongings.patch(player.id, { [item]: carried + 1 })
    return true
  }

  /** Returns the number of pieces that the player still carries. */
  #drop(player: PlayerState, item: ItemKind): number {
    const carried = this.players.belongings(player)[item]
    if (carried === 0) throw world.error("drop_nothing_carried", { message: `you carry no ${nameOf[item]}` })
    const at = this.players.place(player)
    if (!this.#groundItems.put(item, at, { except: at, nowMs: this.#nowMs }))
      throw world.error("drop_no_space", { message: "there is no free tile beside you" })
    this.#records.belongings.patch(player.id, { [item]: carried - 1 })
    return carried - 1
  }

  /** Returns the kind of resource that gave a piece. The last piece falls to the ground if a tile beside it is free. */
  #gather(player: PlayerState, tile: Tile): "tree" | "rock" {
    const at = this.players.place(player)
    const isWithinReach = Math.max(Math.abs(tile.x - at.x), Math.abs(tile.y - at.y)) <= 1
    const nowMs = this.#nowMs
    const gathering = isWithinReach ? this.#resources.gather(tile, nowMs) : undefined
    if (gathering?.ok === true) {
      const { kind, isBare } = gathering
      const item = itemOf[kind]
      const isOnGround = isBare && this.#groundItems.put(item, tile, { except: at, nowMs })
      if (isOnGround || this.#carry(player, item)) return kind
      throw world.error("gather_hands_full", {
        message: `you carry ${carriedMax} pieces of ${nameOf[item]}; drop some first`,
      })
    }
    if (gathering?.why === "bare") {
      throw world.error("gather_nothing_left", {
        message: `there is nothing left to gather at ${tile.x},${tile.y}; it grows again in some seconds`,
      })
    }
    const message = `there is no tree or rock within reach at ${tile.x},${tile.y}`
    throw world.error("gather_nothing_there", { message })
  }

  #player(session: WorldSession): PlayerState {
    const player = this.players.get(session.user.id)
    if (player === undefined) throw new HawserError("session_ended")
    return player
  }

  #gain(player: PlayerState, skill: SkillName, gained: number): { xp: number; levelled: boolean } {
    const before = this.players.belongings(player)[skill]
    const xp = before + gained
    this.#records.belongings.patch(player.id, { [skill]: xp })
    return { xp, levelled: levelOf(xp) > levelOf(before) }
  }

  #showSkills(player: PlayerState): void {
    player.session.send("skills", { skills: skillLevels(this.players.belongings(player)) })
  }
}
