// Game of the world: players enter, leave, act, and receive changes. Connects the rules to the server's sessions.
import { HawserError, encodedArray, encodedMap } from "@hawser/server"
import type { SessionEnded, SessionOpened } from "@hawser/server"
import { chatInputMaxLength, moveCooldownMs, world } from "../../contract.ts"
import type { ChunkPayload, Direction, ItemKind, PlayerFields, WorldContract } from "../../contract.ts"
import { channelsFor, checkChat, localChatTiles, isNear } from "../../rules/chat.ts"
import type { ChatChannel, Role } from "../../rules/chat.ts"
import type { WorldMap } from "../../rules/map.ts"
import { stepFrom } from "../../rules/movement.ts"
import type { Tile } from "../../rules/movement.ts"
import { gatherXp, levelOf, skillLevels, stepXp } from "../../rules/skills.ts"
import type { SkillName } from "../../rules/skills.ts"
import type { KnownPlayer, Progress } from "../store/player-record.ts"
import { ChunkStore, chunkKeyAt, pushRadius, queryRadiusMax } from "./chunk-store.ts"
import { Creatures } from "./creatures.ts"
import { Departures } from "./departures.ts"
import { GroundItems } from "./ground-items.ts"
import { Players, playerFields, playerOf, playerStateOf, positionOf, progressOf } from "./player-state.ts"
import type { PlayerState } from "./player-state.ts"
import type { WorldSession, WorldUser } from "./world-types.ts"
import { answerAboutOneself } from "./queries.ts"
import { Resources } from "./resources.ts"
import type { Shown } from "./shown.ts"
import { openSight } from "./sight.ts"
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

/** Steps between two `skills` events for exploration, so that walking does not double the traffic. */
const skillPushSteps = 10

const itemOf = { tree: "log", rock: "ore" } as const
const skillFor = { tree: "woodcutting", rock: "mining" } as const

export class Game {
  readonly players = new Players()
  readonly #departures = new Departures()
  readonly #creatures: Creatures
  readonly #resources: Resources
  readonly #groundItems: GroundItems
  readonly #options: GameOptions
  readonly #shown: Shown<PlayerFields>
  readonly #chunks: ChunkStore
  /** Players who entered or moved since terrain was last pushed to them. */
  readonly #awaitingTerrain = new Set<PlayerState>()
  #tick = 0
  #nowMs = 0

  constructor(options: GameOptions) {
    const { server, map, random } = options
    this.#options = options
    this.#chunks = new ChunkStore(map)
    this.#shown = server.replica("players")
    this.#creatures = new Creatures({
      terrain: map,
      zones: map.creatureZones,
      random,
      shown: server.replica("creatures"),
    })
    this.#resources = new Resources(map, server.replica("resources"))
    this.#groundItems = new GroundItems(map, server.replica("groundItems"))
    // No client may join.
    server.topicKind("map", {})
    server.onSession((opened) => this.#enter(opened))
    server.onSessionRestored((session) => this.#restore(session))
    server.onSessionEnd((ended) => this.#leave(ended))
    server.onAttachment((session) => this.#showAttachment(session))
    this.#handle(server)
  }

  /**
   * Returns the live state of a player who is in the world or left recently; else the state that the log-in read from
   * the store.
   */
  stateOf(user: WorldUser): PlayerState {
    const { id } = user.record
    return this.players.get(id) ?? this.#departures.find(id) ?? playerStateOf(user.record)
  }

  /**
   * Runs one tick. A failure of one system or player does not affect the others. At the end each viewer receives the
   * nearby changes, then each player who has moved receives the terrain around the new tile.
   */
  tick(nowMs: number): void {
    this.#tick += 1
    this.#nowMs = nowMs
    this.#departures.expire(this.#tick, this.#options.isUnsaved)
    for (const system of [this.#creatures, this.#resources, this.#groundItems])
      this.#isolated(() => system.tick(nowMs))
    this.#isolated(() => this.#options.server.flush())
    for (const player of this.#awaitingTerrain) this.#isolated(() => this.#showTerrain(player))
  }

  /** Returns the progress of all players in the world, for the store. */
  progress(): Progress[] {
    return this.players.all.map(progressOf)
  }

  #isolated(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #enter({ session, replaces }: SessionOpened<WorldUser, WorldContract>): void {
    const { server, map, motd, wallClockMs } = this.#options
    const player = this.stateOf(session.user)
    this.#place(player, session)

    session.send("welcome", {
      player: playerOf(player),
      mapId: map.id,
      mapWidth: map.width,
      mapHeight: map.height,
      motd,
      moveCooldownMs,
      chatChannels: channelsFor(session.user.record.role),
    })
    session.send("chatMessage", {
      sender: "Server",
      message: motd,
      channel: "system",
      sentAtMs: wallClockMs(),
    })
    session.send("skills", { skills: skillLevels(player.xp) })
    session.send("arrival", { playerId: player.record.id, others: this.players.size - 1 })
    if (replaces.length === 0) {
      server.topic(`map:${player.mapId}`).publish("playerJoined", playerOf(player), { except: session })
    }
  }

  /** Puts a player into the world, with the views of the session. */
  #place(player: PlayerState, session: WorldSession): void {
    const { server } = this.#options
    player.session = session
    player.pushedChunk = undefined
    this.players.add(player)
    this.#departures.delete(player)
    this.#awaitingTerrain.add(player)
    server.topic(`map:${player.mapId}`).subscribe(session)
    this.#shown.set(session.user.id, playerFields(player))
    player.sight = openSight(server, session, player)
  }

  /**
   * Puts the player of a session back that began in an earlier process, at the stored place: after a kill it may be some seconds
   * old. Neither the player nor the others are greeted. A player who cannot be read may not play on: a later save of old progress
   * would overwrite the newer one.
   */
  async #restore(session: WorldSession): Promise<void> {
    const record = await this.#options.read(session.user.record.id).catch((error: unknown) => {
      session.end("sys_service_unavailable", "your player cannot be read; log in again later")
      throw error
    })
    if (!session.active) return
    if (record === undefined) {
      session.end("auth_forbidden")
      return
    }
    const player = playerStateOf(record)
    this.#place(player, session)
    this.#showSkills(player)
  }

  #leave({ session, cause }: SessionEnded<WorldUser, WorldContract>): void {
    const player = this.players.get(session.user.record.id)
    // A takeover is no departure, and a late end of an old session does not concern the current one.
    if (player === undefined || cause === "replaced" || player.session !== session) return
    this.players.delete(player)
    this.#departures.add(player, this.#tick)
    this.#awaitingTerrain.delete(player)
    this.#shown.remove(session.user.id)
    const { id, username } = player.record
    // At a shutdown no departure is published: all players return together.
    if (cause !== "server_shutdown")
      this.#options.server.topic(`map:${player.mapId}`).publish("playerLeft", { id, username, reason: cause })
    this.#options.save([progressOf(player)])
  }

  /** Publishes whether the player's session is attached. */
  #showAttachment(session: WorldSession): void {
    const player = this.players.get(session.user.record.id)
    if (player?.session !== session) return
    this.#shown.patch(session.user.id, { away: !session.attached })
  }

  /** Pushes the chunks of a new neighbourhood. A detached player receives them after the resume. */
  #showTerrain(player: PlayerState): void {
    const { session } = player
    if (session?.attached !== true) return
    this.#awaitingTerrain.delete(player)
    const chunk = chunkKeyAt(player)
    if (chunk === player.pushedChunk) return
    player.pushedChunk = chunk
    const chunks = encodedArray<ChunkPayload>(this.#chunks.around(player, pushRadius))
    session.send("chunkUpdate", encodedMap({ position: positionOf(player), chunks }))
  }

  #handle(server: WorldServer): void {
    server.command("move", ({ input, session, afterReply }) => {
      const player = this.#player(session)
      const previous = positionOf(player)
      this.#walk(player, input.direction)
      const levelled = this.#gain(player, "exploration", stepXp)
      if (levelled || player.xp.exploration % skillPushSteps === 0) afterReply(() => this.#showSkills(player))
      return { position: positionOf(player), previous, movedAtMs: this.#options.wallClockMs() }
    })

    // Role of the session, not of the player state: a fresh token or a new session may have another role.
    server.command("chatSend", ({ input, session }) =>
      this.#chat(this.#player(session), input, session.user.record.role),
    )

    server.command("gather", ({ input, session, afterReply }) => {
      const player = this.#player(session)
      const skill = skillFor[this.#gather(player, input)]
      this.#gain(player, skill, gatherXp)
      afterReply(() => this.#showSkills(player))
      const xp = player.xp[skill]
      return { skill, xpGained: gatherXp, level: levelOf(xp), xp }
    })

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

    answerAboutOneself(server, (session) => this.#player(session))
    server.query("worldHealth", () => {
      const { p50Ms, p99Ms } = this.#options.tickTimes()
      return { players: this.players.size, tickP50Ms: p50Ms, tickP99Ms: p99Ms }
    })
  }

  /** @throws HawserError if the step is blocked; the player turns nevertheless. */
  #walk(player: PlayerState, direction: Direction): void {
    const { record, x, y } = player
    player.facing = direction
    const step = stepFrom(this.#options.map, player, direction)
    if (!step.ok) {
      this.#shown.patch(String(record.id), { facing: direction })
      const message = `you cannot go ${direction} from ${x},${y}`
      throw world.error(step.code, { current: positionOf(player) }, { message })
    }
    player.x = step.to.x
    player.y = step.to.y
    this.#shown.patch(String(record.id), { ...step.to, facing: direction })
    player.sight?.moveTo(step.to)
    this.#awaitingTerrain.add(player)
    const found = this.#groundItems.take(step.to)
    if (found !== undefined) this.#takeUp(player, found)
  }

  #takeUp(player: PlayerState, item: ItemKind): void {
    player.carried[item] += 1
    player.session?.send("chatMessage", {
      sender: "Server",
      message: `You take up a piece of ${item === "log" ? "wood" : "ore"}; you carry ${player.carried[item]} of it.`,
      channel: "system",
      sentAtMs: this.#options.wallClockMs(),
    })
  }

  /** Returns the kind of resource that gave a piece. The last piece also drops an item to the ground. */
  #gather(player: PlayerState, tile: Tile): "tree" | "rock" {
    const isWithinReach = Math.max(Math.abs(tile.x - player.x), Math.abs(tile.y - player.y)) <= 1
    const nowMs = this.#nowMs
    const gathering = isWithinReach ? this.#resources.gather(tile, nowMs) : undefined
    if (gathering?.ok === true) {
      const { kind, isBare } = gathering
      if (isBare) this.#groundItems.drop(itemOf[kind], tile, { except: player, nowMs })
      return kind
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
    const player = this.players.get(session.user.record.id)
    if (player === undefined) throw new HawserError("session_ended")
    return player
  }

  /** Returns true if a level was gained. */
  #gain(player: PlayerState, skill: SkillName, xp: number): boolean {
    const before = levelOf(player.xp[skill])
    player.xp[skill] += xp
    return levelOf(player.xp[skill]) > before
  }

  #showSkills(player: PlayerState): void {
    player.session?.send("skills", { skills: skillLevels(player.xp) })
  }

  #chat(
    speaker: PlayerState,
    input: { channel: ChatChannel; message: string; recipient?: string | undefined },
    role: Role,
  ): { channel: ChatChannel; message: string } {
    const { channel } = input
    const verdict = checkChat(channel, input.message, { role, inputMaxLength: chatInputMaxLength })
    if (!verdict.ok) {
      const category = verdict.code === "chat_permission_denied" ? "permission" : "validation"
      throw world.error(verdict.code, { message: verdict.text, category })
    }
    const line = {
      sender: speaker.record.username,
      message: verdict.message,
      channel,
      sentAtMs: this.#options.wallClockMs(),
    }
    this.#options.server.multicast(
      this.#chatRecipients(speaker, channel, input.recipient),
      "chatMessage",
      line,
    )
    return { channel, message: verdict.message }
  }

  #chatRecipients(speaker: PlayerState, channel: ChatChannel, recipient: string | undefined): WorldSession[] {
    const all = this.players.all
    const recipients =
      channel === "global" ? all : all.filter((other) => isNear(speaker, other, localChatTiles))
    return (channel === "dm" ? [this.#recipient(recipient)] : recipients).flatMap(
      ({ session }) => session ?? [],
    )
  }

  #recipient(username: string | undefined): PlayerState {
    const found = username === undefined ? undefined : this.players.byName(username)
    if (found !== undefined) return found
    throw world.error("chat_recipient_not_found", {
      message:
        username === undefined
          ? "a direct message needs a recipient"
          : `${JSON.stringify(username)} is not online`,
    })
  }
}
