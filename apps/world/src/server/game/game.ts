// The world itself: players come and go, act, and are told what they see. Wires rules to the server's sessions.
import { HawserError, encodedArray, encodedMap } from "@hawser/server"
import type { Server, SessionEnded, SessionOpened } from "@hawser/server"
import { chatInputMaxLength, moveCooldownMs } from "../../contract.ts"
import type { ChunkPayload, WorldContract } from "../../contract.ts"
import { checkChat, hearingTiles, isNear } from "../../rules/chat.ts"
import type { ChatChannel, Role } from "../../rules/chat.ts"
import type { WorldMap } from "../../rules/map.ts"
import { stepFrom } from "../../rules/movement.ts"
import { gatherXp, levelOf, skillDetails, skillLevels, stepXp, totalLevel } from "../../rules/skills.ts"
import type { SkillName } from "../../rules/skills.ts"
import type { Progress } from "../store/player-record.ts"
import { ChunkStore, chunkKeyAt, pushRadius, queryRadiusMax } from "./chunk-store.ts"
import { Creatures } from "./creatures.ts"
import { Departures } from "./departures.ts"
import { Players, playerEntity, playerStateOf, positionOf, progressOf } from "./player-state.ts"
import type { PlayerState, WorldSession, WorldUser } from "./player-state.ts"
import { lookAround } from "./sight.ts"

export type WorldServer = Server<WorldContract, WorldUser>

export interface GameOptions {
  readonly server: WorldServer
  readonly map: WorldMap
  readonly motd: string
  readonly random: () => number
  readonly wallClockMs: () => number
  readonly save: (progress: readonly Progress[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Steps between two pushes of the exploration skill, so that walking does not double the traffic. */
const skillPushSteps = 10

const equipmentSlots = [
  "head",
  "cape",
  "amulet",
  "weapon",
  "body",
  "shield",
  "legs",
  "gloves",
  "boots",
  "ring",
  "ammo",
]
const statNames = [
  "attack",
  "strength",
  "ranged_attack",
  "ranged_strength",
  "magic_attack",
  "magic_damage",
  "physical_defence",
  "magic_defence",
  "health",
  "speed",
  "mining",
  "woodcutting",
  "fishing",
]
const noBonuses: Readonly<Record<string, number>> = Object.fromEntries(
  statNames.map((name) => [`${name}_bonus`, 0]),
)
const inventorySlots = 28

export class Game {
  readonly players = new Players()
  readonly #departures = new Departures()
  readonly creatures: Creatures
  readonly #options: GameOptions
  readonly #chunks: ChunkStore
  #version = 0
  #lookedAtVersion = -1
  #tick = 0

  constructor(options: GameOptions) {
    const { server, map, random } = options
    this.#options = options
    this.#chunks = new ChunkStore(map)
    this.creatures = new Creatures({
      terrain: map,
      zones: map.creatureZones,
      random,
      nextVersion: () => this.#nextVersion(),
    })
    server.onSession((opened) => this.#enter(opened))
    server.onSessionEnd((ended) => this.#leave(ended))
    server.onAttachment((session) => this.#showAttachment(session))
    this.#handle(server)
  }

  /** The live state of a player who is in the world or has just left it, else what the store knew at their login. */
  stateOf(user: WorldUser): PlayerState {
    const { id } = user.record
    return this.players.get(id) ?? this.#departures.find(id) ?? playerStateOf(user.record)
  }

  /** One step of the world: systems are isolated from each other, and players too. */
  tick(nowMs: number): void {
    this.#tick += 1
    this.#departures.forget(this.#tick)
    this.#isolated(() => this.creatures.tick(nowMs))
    if (this.#lookedAtVersion === this.#version) return
    this.#lookedAtVersion = this.#version
    for (const player of this.players.all) this.#isolated(() => this.#show(player))
  }

  /** Everyone's progress, for the store. */
  progress(): Progress[] {
    return this.players.all.map(progressOf)
  }

  #nextVersion(): number {
    this.#version += 1
    return this.#version
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
    const others = this.players.all.filter((other) => other !== player)
    player.session = session
    player.known.clear()
    player.pushedChunk = undefined
    player.version = this.#nextVersion()
    this.players.add(player)
    this.#departures.delete(player)
    server.topic(`map:${player.mapId}`).subscribe(session)

    session.send("welcome", {
      player: playerEntity(player),
      mapId: map.id,
      mapWidth: map.width,
      mapHeight: map.height,
      motd,
      moveCooldownMs,
    })
    session.send("chatMessage", {
      sender: "Server",
      message: motd,
      channel: "system",
      sentAtMs: wallClockMs(),
    })
    session.send("skills", { skills: skillLevels(player.xp) })
    for (const other of others) session.send("playerJoined", playerEntity(other))
    if (replaces.length === 0) {
      server.topic(`map:${player.mapId}`).publish("playerJoined", playerEntity(player), { except: session })
    }
    this.#show(player)
  }

  #leave({ session, cause }: SessionEnded<WorldUser, WorldContract>): void {
    const player = this.players.get(session.user.record.id)
    // A takeover is no departure, and a late end of an old session is not the player's.
    if (player === undefined || cause === "replaced" || player.session !== session) return
    this.players.delete(player)
    this.#departures.add(player, this.#tick)
    this.#nextVersion()
    const { id, username } = player.record
    this.#options.server.topic(`map:${player.mapId}`).publish("playerLeft", { id, username, reason: cause })
    this.#options.save([progressOf(player)]).catch(this.#options.onError)
  }

  /** Everyone sees who is away and who is back; whoever is back sees with the next tick what changed meanwhile. */
  #showAttachment(session: WorldSession): void {
    const player = this.players.get(session.user.record.id)
    if (player?.session === session) player.version = this.#nextVersion()
  }

  /**
   * What changed in sight, then the chunks of a new neighbourhood. Nothing for who is away: `known` keeps what their
   * client holds, so one update at their return replaces all that would have filled the session's buffer.
   */
  #show(player: PlayerState): void {
    const { session } = player
    if (session?.attached !== true) return
    const { map } = this.#options
    const change = lookAround({ players: this.players, creatures: this.creatures, mapId: map.id }, player)
    if (change !== undefined) session.send("gameUpdate", { mapId: map.id, tick: this.#tick, ...change })
    const chunk = chunkKeyAt(player)
    if (chunk === player.pushedChunk) return
    player.pushedChunk = chunk
    const chunks = encodedArray<ChunkPayload>(this.#chunks.around(player, pushRadius))
    session.send("chunkUpdate", encodedMap({ position: positionOf(player), chunks }))
  }

  #handle(server: WorldServer): void {
    server.command("move", ({ input, session, afterReply }) => {
      const { map, wallClockMs } = this.#options
      const player = this.#player(session)
      const previous = positionOf(player)
      player.facing = input.direction
      player.version = this.#nextVersion()
      const step = stepFrom(map, player, input.direction)
      if (!step.ok) {
        const message = `you cannot go ${input.direction} from ${player.x},${player.y}`
        throw new HawserError(step.code, { message, details: { current: previous } })
      }
      player.x = step.to.x
      player.y = step.to.y
      const levelled = this.#gain(player, "exploration", stepXp)
      if (levelled || player.xp.exploration % skillPushSteps === 0) afterReply(() => this.#showSkills(player))
      return { position: positionOf(player), previous, movedAtMs: wallClockMs() }
    })

    // Of the session, not of the player: a fresh token or a return may have brought another role.
    server.command("chatSend", ({ input, session }) =>
      this.#chat(this.#player(session), input, session.user.record.role),
    )

    server.command("gather", ({ input, session, afterReply }) => {
      const player = this.#player(session)
      const resource = this.#options.map.resourceAt(input.x, input.y)
      if (
        resource === undefined ||
        Math.max(Math.abs(input.x - player.x), Math.abs(input.y - player.y)) > 1
      ) {
        const message = `there is no tree or rock within reach at ${input.x},${input.y}`
        throw new HawserError("gather_nothing_there", { message })
      }
      const skill = resource === "tree" ? "woodcutting" : "mining"
      this.#gain(player, skill, gatherXp)
      afterReply(() => this.#showSkills(player))
      const xp = player.xp[skill]
      return { skill, xpGained: gatherXp, level: levelOf(xp), xp }
    })

    server.query("mapChunks", ({ input }) => {
      const { map } = this.#options
      const { centerX, centerY } = input
      if (centerX < 0 || centerY < 0 || centerX >= map.width || centerY >= map.height) {
        throw new HawserError("map_invalid_coords", {
          message: `${centerX},${centerY} is outside of ${map.width}×${map.height} tiles`,
        })
      }
      const radius = Math.min(input.radius, queryRadiusMax)
      const chunks = encodedArray<ChunkPayload>(this.#chunks.around({ x: centerX, y: centerY }, radius))
      return encodedMap({ mapId: map.id, centerX, centerY, radius, chunks })
    })

    server.query("inventory", () => ({ slots: [], maxSlots: inventorySlots }))
    server.query("equipment", () => ({ slots: equipmentSlots, totalStats: { ...noBonuses } }))
    server.query("stats", ({ session }) => {
      const { xp } = this.#player(session)
      return { stats: { ...noBonuses }, skills: skillDetails(xp), totalLevel: totalLevel(xp) }
    })
  }

  #player(session: WorldSession): PlayerState {
    const player = this.players.get(session.user.record.id)
    if (player === undefined) throw new HawserError("session_ended")
    return player
  }

  /** True when a level was gained. */
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
      throw new HawserError(verdict.code, { message: verdict.text, category })
    }
    const line = {
      sender: speaker.record.username,
      message: verdict.message,
      channel,
      sentAtMs: this.#options.wallClockMs(),
    }
    this.#options.server.multicast(this.#hearers(speaker, channel, input.recipient), "chatMessage", line)
    return { channel, message: verdict.message }
  }

  #hearers(speaker: PlayerState, channel: ChatChannel, recipient: string | undefined): WorldSession[] {
    const all = this.players.all
    const hearers = channel === "global" ? all : all.filter((other) => isNear(speaker, other, hearingTiles))
    return (channel === "dm" ? [this.#recipient(recipient)] : hearers).flatMap(({ session }) => session ?? [])
  }

  #recipient(username: string | undefined): PlayerState {
    const found = username === undefined ? undefined : this.players.byName(username)
    if (found !== undefined) return found
    throw new HawserError("chat_recipient_not_found", {
      message:
        username === undefined
          ? "a direct message needs a recipient"
          : `${JSON.stringify(username)} is not online`,
    })
  }
}
