// Translates the world for clients of protocol `2.0`: names, payloads, error codes. docs/protocol.md describes the
// dialect. Handlers must not know it.
import { HawserError, encodedMap } from "@hawser/server"
import type { Event20, Profile20 } from "@hawser/server/profile20"
import { moveCooldownMs } from "../../contract.ts"
import type { Player, WorldContract } from "../../contract.ts"
import type { WorldMap } from "../../rules/map.ts"
import type { WorldUser } from "../game/world-types.ts"
import { groundItem20, slot20 } from "./items.ts"
import { visualHash, visualState } from "./looks.ts"
import { Chunks20, creature20, data20, joined20, player20, skill20, success20 } from "./shapes.ts"

export interface Profile20Options {
  readonly map: WorldMap
  readonly motd: string
  /** Returns a player as others see one, also before the entry. */
  readonly seen: (user: WorldUser) => Player
  /** Returns all players in the world. */
  readonly players: () => readonly Player[]
  readonly wallClockMs: () => number
}

/** Commands of `2.0` that this world does not have (yet). */
const unavailable = [
  "attack",
  "toggleAutoRetaliate",
  "updateAppearance",
  "inventoryMove",
  "inventorySort",
  "itemDrop",
  "itemPickup",
  "itemEquip",
  "itemUnequip",
  "adminGive",
]

/** Sections of the profile; this world has each of them. */
type Sections = Required<Profile20<WorldContract, WorldUser>>

export function createProfile20(options: Profile20Options): Profile20<WorldContract, WorldUser> {
  const chunks20 = new Chunks20()
  return {
    welcome: ({ user }) => welcome20(options, options.seen(user)),
    requests,
    replies: repliesOf(chunks20),
    error: error20,
    events: eventsOf(options, chunks20),
    replicas: replicasOf(options),
  }
}

function welcome20({ map, motd }: Profile20Options, player: Player): object {
  const { id, username, x, y, hp, maxHp } = player
  const mapId = map.id
  const vitals = { current_hp: hp, max_hp: maxHp }
  const position = { player_id: id, x, y, map_id: mapId, direction: "south", is_moving: false }
  return {
    message: `Welcome, ${username}!`,
    motd,
    player: { id, username, position, hp: vitals, visual_hash: visualHash, visual_state: visualState },
    config: {
      move_cooldown: moveCooldownMs / 1000,
      animation_duration: moveCooldownMs / 1000,
      protocol_version: "2.0",
    },
    player_id: id,
    username,
    position: { x, y },
    map_id: mapId,
    ...vitals,
    visual_hash: visualHash,
    visual_state: visualState,
  }
}

/** Queries without an input. Clients of `2.0` may send one, which has no effect. */
const withoutInput = ["inventory", "equipment", "stats"]

const requests: Sections["requests"] = {
  ...Object.fromEntries(withoutInput.map((name) => [name, () => ({ name, input: undefined })])),
  ...Object.fromEntries(unavailable.map((name) => [name, () => refuse(name)])),
  chatSend: ({ channel, message, recipient }) => ({
    name: "chatSend",
    input: { channel: channel ?? "local", message, recipient: recipient ?? undefined },
  }),
  mapChunks: ({ center_x, center_y, radius }) => ({
    name: "mapChunks",
    input: { centerX: center_x, centerY: center_y, radius: radius ?? 2 },
  }),
}

function repliesOf(chunks20: Chunks20): Sections["replies"] {
  return {
    move({ position, previous, movedAtMs }, { user }) {
      const at = { player_id: user.record.id, x: position.x, y: position.y, map_id: position.mapId }
      const before = { x: previous.x, y: previous.y, map_id: previous.mapId }
      return success20({ new_position: { ...at, timestamp: movedAtMs / 1000 }, old_position: before })
    },
    chatSend: success20,
    gather: ({ skill, xpGained, level, xp }) => success20({ skill, xp_gained: xpGained, level, xp }),
    mapChunks: ({ mapId, centerX, centerY, radius, chunks }) =>
      encodedMap({
        chunks: chunks20.encode(chunks),
        map_id: mapId,
        center: { x: centerX, y: centerY },
        radius,
      }),
    inventory: ({ slots, maxSlots }) =>
      data20("inventory", {
        inventory: { slots: slots.map(slot20), max_slots: maxSlots, used_slots: slots.length },
      }),
    equipment({ slots, totalStats }) {
      const worn = slots.map((slot) => ({ slot, item: null, quantity: 0, current_durability: null }))
      return data20("equipment", { equipment: { slots: worn, total_stats: totalStats } })
    },
    stats: ({ stats, skills, totalLevel }) =>
      data20("stats", { stats, skills: skills.map(skill20), total_level: totalLevel }),
  }
}

const error20: Sections["error"] = (error, name) => {
  if (error.code === "rate_limited" && name === "move") return { ...error, code: "move_rate_limited" }
  if (error.code === "invalid_input" && name === "move") return { ...error, code: "move_invalid_direction" }
  return error
}

function eventsOf(options: Profile20Options, chunks20: Chunks20): Sections["events"] {
  const { map, players, wallClockMs } = options
  let sequence = 0
  return {
    // The codec sends `event_welcome` itself.
    welcome: () => [],
    chatHistory: () => [],
    chatMessage({ sender, message, channel, sentAtMs }) {
      const timestamp = Math.round(sentAtMs)
      const line = { sender, username: sender, message, channel, timestamp, sender_position: null }
      return [{ name: "chatMessage", payload: line }]
    },
    skills({ skills }) {
      sequence += 1
      const about = { update_type: "full", target: "personal", timestamp: wallClockMs(), sequence }
      const payload = { ...about, entities: [], player: null, systems: { skills } }
      return [{ name: "stateUpdate", payload }]
    },
    // A client of 2.0 gets one `player_joined` event for each player who is present.
    arrival: ({ playerId }) =>
      players()
        .filter(({ id }) => id !== playerId)
        .map((other) => ({ name: "playerJoined", payload: joined20(other, map.id) })),
    playerJoined: (player) => [{ name: "playerJoined", payload: joined20(player, map.id) }],
    playerLeft: ({ id, username, reason }) => [
      { name: "playerLeft", payload: { player_id: id, username, reason } },
    ],
    chunkUpdate({ position, chunks }) {
      const at = { x: position.x, y: position.y }
      const update = { map_id: position.mapId, chunks: chunks20.encode(chunks), player_position: at }
      return [{ name: "chunkUpdate", payload: encodedMap(update) }]
    },
  }
}

/** Profile 2.0 has no records for trees and rocks; its clients see them as tiles of the map. */
function replicasOf({ map, wallClockMs }: Profile20Options): Sections["replicas"] {
  let sequence = 0
  /** Returns the changes of one replica as the event that all replicas share. */
  function update20(changes: object): Event20[] {
    sequence += 1
    const payload = {
      entities: [],
      removed_entities: [],
      ground_items: [],
      removed_ground_item_ids: [],
      map_id: map.id,
      update_type: "delta",
      scope: "visible",
      sequence,
      timestamp: wallClockMs(),
      player: null,
      ...changes,
    }
    return [{ name: "gameUpdate", payload }]
  }
  return {
    players: ({ records, gone }) =>
      update20({
        entities: records.map(player20),
        removed_entities: gone.map((id) => `player_${id}`),
      }),
    creatures: ({ records, gone }) =>
      update20({ entities: records.map(creature20), removed_entities: gone.map(Number) }),
    groundItems: ({ records, gone }) =>
      update20({ ground_items: records.map(groundItem20), removed_ground_item_ids: gone.map(Number) }),
  }
}

function refuse(name: string): never {
  throw new HawserError("not_available", { message: `this world does not offer "${name}"` })
}
