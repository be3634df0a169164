// The one place that knows how the world looks to clients of protocol `2.0`: names, payloads, error codes.
// docs/protocol.md describes the dialect; handlers know nothing of it.
import { HawserError, encodedMap } from "@hawser/server"
import type { Profile20 } from "@hawser/server"
import { moveCooldownMs } from "../../contract.ts"
import type { WorldContract } from "../../contract.ts"
import type { WorldMap } from "../../rules/map.ts"
import { playerEntity } from "../game/player-state.ts"
import type { PlayerState, WorldUser } from "../game/player-state.ts"
import { visualHash, visualState } from "./looks.ts"
import { Chunks20, data20, entity20, joined20, skill20, success20 } from "./shapes.ts"

export interface Profile20Options {
  readonly map: WorldMap
  readonly motd: string
  readonly stateOf: (user: WorldUser) => PlayerState
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

export function createProfile20(options: Profile20Options): Profile20<WorldContract, WorldUser> {
  const chunks20 = new Chunks20()
  let sequence = 0

  return {
    welcome(session) {
      const player = options.stateOf(session.user)
      const { id, username, x, y, hp, maxHp } = playerEntity(player)
      const { mapId } = player
      const vitals = { current_hp: hp, max_hp: maxHp }
      const position = { player_id: id, x, y, map_id: mapId, direction: "south", is_moving: false }
      return {
        message: `Welcome, ${username}!`,
        motd: options.motd,
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
    },

    requests: {
      ...Object.fromEntries(unavailable.map((name) => [name, () => refuse(name)])),
      chatSend: ({ channel, message, recipient }) => ({
        name: "chatSend",
        input: { channel: channel ?? "local", message, recipient: recipient ?? undefined },
      }),
      mapChunks: ({ center_x, center_y, radius }) => ({
        name: "mapChunks",
        input: { centerX: center_x, centerY: center_y, radius: radius ?? 2 },
      }),
    },

    replies: {
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
      inventory: ({ maxSlots }) =>
        data20("inventory", { inventory: { slots: [], max_slots: maxSlots, used_slots: 0 } }),
      equipment({ slots, totalStats }) {
        const worn = slots.map((slot) => ({ slot, item: null, quantity: 0, current_durability: null }))
        return data20("equipment", { equipment: { slots: worn, total_stats: totalStats } })
      },
      stats: ({ stats, skills, totalLevel }) =>
        data20("stats", { stats, skills: skills.map(skill20), total_level: totalLevel }),
    },

    error(error, name) {
      if (error.code === "rate_limited" && name === "move") return { ...error, code: "move_rate_limited" }
      if (error.code === "invalid_input" && name === "move")
        return { ...error, code: "move_invalid_direction" }
      return error
    },

    events: {
      // The codec sends `event_welcome` itself.
      welcome: () => [],
      chatMessage({ sender, message, channel, sentAtMs }) {
        const line = {
          sender,
          username: sender,
          message,
          channel,
          timestamp: Math.round(sentAtMs),
          sender_position: null,
        }
        return [{ name: "chatMessage", payload: line }]
      },
      skills({ skills }) {
        sequence += 1
        const timestamp = options.wallClockMs()
        const about = {
          update_type: "full",
          target: "personal",
          timestamp,
          sequence,
          entities: [],
          player: null,
        }
        return [{ name: "stateUpdate", payload: { ...about, systems: { skills } } }]
      },
      playerJoined: (player) => [{ name: "playerJoined", payload: joined20(player, options.map.id) }],
      playerLeft: ({ id, username, reason }) => [
        { name: "playerLeft", payload: { player_id: id, username, reason } },
      ],
      gameUpdate({ mapId, tick, entities, removedPlayers, removedCreatures }) {
        const update = {
          entities: entities.map(entity20),
          removed_entities: [...removedPlayers.map((id) => `player_${id}`), ...removedCreatures],
          ground_items: [],
          removed_ground_item_ids: [],
          map_id: mapId,
          update_type: "delta",
          scope: "visible",
          sequence: tick,
          timestamp: options.wallClockMs(),
          player: null,
        }
        return [{ name: "gameUpdate", payload: update }]
      },
      chunkUpdate({ position, chunks }) {
        const at = { x: position.x, y: position.y }
        const update = { map_id: position.mapId, chunks: chunks20.encode(chunks), player_position: at }
        return [{ name: "chunkUpdate", payload: encodedMap(update) }]
      },
    },
  }
}

function refuse(name: string): never {
  throw new HawserError("not_available", { message: `this world does not offer "${name}"` })
}
