// What the world's server and its browser client say to each other.
import { defineContract } from "@hawser/protocol"
import { z } from "zod"

export const directions = ["UP", "DOWN", "LEFT", "RIGHT"] as const
export const directionSchema = z.enum(directions)
export type Direction = z.infer<typeof directionSchema>

export const chatChannels = ["local", "global", "dm"] as const

const positionSchema = z.object({ mapId: z.string(), x: z.int(), y: z.int() })
export type Position = z.infer<typeof positionSchema>

/** Level and experience by skill name. */
const skillsSchema = z.record(z.string(), z.object({ level: z.int(), xp: z.int() }))

const playerSchema = z.object({
  kind: z.literal("player"),
  id: z.int(),
  username: z.string(),
  x: z.int(),
  y: z.int(),
  facing: directionSchema,
  hp: z.int(),
  maxHp: z.int(),
  /** Which outfit of the sprite sheet. */
  outfit: z.int(),
  /** The player's connection is lost; they stand where they stood and may come back at any moment. */
  away: z.boolean(),
})
export type PlayerEntity = z.infer<typeof playerSchema>

const creatureSchema = z.object({
  kind: z.literal("creature"),
  id: z.int(),
  species: z.string(),
  name: z.string(),
  x: z.int(),
  y: z.int(),
  facing: directionSchema,
  hp: z.int(),
  maxHp: z.int(),
  state: z.enum(["idle", "wandering"]),
})
export type CreatureEntity = z.infer<typeof creatureSchema>

const entitySchema = z.discriminatedUnion("kind", [playerSchema, creatureSchema])
export type Entity = z.infer<typeof entitySchema>

/** 16×16 tiles; gids row by row, 0 is nothing; blocked holds 0 or 1 per tile. */
const chunkSchema = z.object({
  chunkX: z.int(),
  chunkY: z.int(),
  layers: z.array(z.object({ name: z.string(), gids: z.array(z.int()) })),
  blocked: z.array(z.int()),
})
export type ChunkPayload = z.infer<typeof chunkSchema>

const emptySchema = z.object({})
const statsSchema = z.record(z.string(), z.int())

const skillDetailSchema = z.object({
  name: z.string(),
  category: z.string(),
  description: z.string(),
  level: z.int(),
  xp: z.int(),
  xpForLevel: z.int(),
  xpForNextLevel: z.int(),
  maxLevel: z.int(),
})
export type SkillDetail = z.infer<typeof skillDetailSchema>

export const moveCooldownMs = 150
/**
 * Steps without a reply at once. What a slow or a lost connection has held up arrives together, and is no faster on
 * average than it was walked: a client that keeps to the cooldown and to this number is never refused.
 */
export const movesInFlight = 4
/** Longest text that is looked at; each channel then has its own, shorter limit. */
export const chatInputMaxLength = 500

export const world = defineContract({
  name: "world",
  commands: {
    move: {
      input: z.object({ direction: directionSchema }),
      output: z.object({ position: positionSchema, previous: positionSchema, movedAtMs: z.number() }),
      limit: { everyMs: moveCooldownMs, burst: movesInFlight },
    },
    chatSend: {
      input: z.object({
        channel: z.enum(chatChannels),
        message: z.string(),
        recipient: z.string().max(50).optional(),
      }),
      output: z.object({ channel: z.enum(chatChannels), message: z.string() }),
      limit: { everyMs: 1_000, burst: 3 },
    },
    gather: {
      input: z.object({ x: z.int(), y: z.int() }),
      output: z.object({ skill: z.string(), xpGained: z.int(), level: z.int(), xp: z.int() }),
      limit: { everyMs: 1_000, burst: 1 },
    },
  },
  queries: {
    mapChunks: {
      input: z.object({ centerX: z.int(), centerY: z.int(), radius: z.int().min(1).max(5) }),
      output: z.object({
        mapId: z.string(),
        centerX: z.int(),
        centerY: z.int(),
        radius: z.int(),
        chunks: z.array(chunkSchema),
      }),
      limit: { everyMs: 100, burst: 20 },
    },
    inventory: { input: emptySchema, output: z.object({ slots: z.array(z.never()), maxSlots: z.int() }) },
    equipment: {
      input: emptySchema,
      output: z.object({ slots: z.array(z.string()), totalStats: statsSchema }),
    },
    stats: {
      input: emptySchema,
      output: z.object({ stats: statsSchema, skills: z.array(skillDetailSchema), totalLevel: z.int() }),
    },
  },
  events: {
    welcome: {
      payload: z.object({
        player: playerSchema,
        mapId: z.string(),
        mapWidth: z.int(),
        mapHeight: z.int(),
        motd: z.string(),
        moveCooldownMs: z.int(),
      }),
    },
    chatMessage: {
      payload: z.object({
        sender: z.string(),
        message: z.string(),
        channel: z.enum([...chatChannels, "system"]),
        sentAtMs: z.number(),
      }),
    },
    skills: { payload: z.object({ skills: skillsSchema }) },
    playerJoined: { payload: playerSchema },
    playerLeft: { payload: z.object({ id: z.int(), username: z.string(), reason: z.string() }) },
    /** What changed around the player since the last one. */
    gameUpdate: {
      payload: z.object({
        mapId: z.string(),
        tick: z.int(),
        entities: z.array(entitySchema),
        removedPlayers: z.array(z.int()),
        removedCreatures: z.array(z.int()),
      }),
    },
    chunkUpdate: { payload: z.object({ position: positionSchema, chunks: z.array(chunkSchema) }) },
  },
})
export type WorldContract = typeof world
