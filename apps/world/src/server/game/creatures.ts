// Creatures that wander in their zones, spawn and despawn. Chance and time come in, so tests can repeat them.
import type { CreatureEntity } from "../../contract.ts"
import { directions } from "../../contract.ts"
import type { CreatureZone } from "../../rules/map.ts"
import { stepFrom } from "../../rules/movement.ts"
import type { Terrain } from "../../rules/movement.ts"

export interface Creature {
  entity: CreatureEntity
  readonly zone: CreatureZone
  version: number
  readonly diesAtMs: number
  nextStepAtMs: number
}

/** Far above any player's number, so that the two can never be mistaken for each other. */
export const firstCreatureId = 1_000_000
const lifetimeMs = { min: 60_000, max: 240_000 }
const pauseMs = { min: 400, max: 3_000 }
const maxHpOf: Readonly<Record<string, number>> = { rabbit: 5, slime: 12, wolf: 30 }

export interface CreatureWorld {
  readonly terrain: Terrain
  readonly zones: readonly CreatureZone[]
  /** From [0, 1). */
  readonly random: () => number
  /** Called for the version of whatever changed. */
  readonly nextVersion: () => number
}

export class Creatures {
  readonly #world: CreatureWorld
  readonly #creatures = new Map<number, Creature>()
  #lastId = firstCreatureId

  constructor(world: CreatureWorld) {
    this.#world = world
  }

  get all(): ReadonlyMap<number, Creature> {
    return this.#creatures
  }

  tick(nowMs: number): void {
    for (const [id, creature] of this.#creatures) {
      if (nowMs >= creature.diesAtMs) {
        this.#creatures.delete(id)
        this.#world.nextVersion()
      } else if (nowMs >= creature.nextStepAtMs) {
        this.#wander(creature, nowMs)
      }
    }
    for (const zone of this.#world.zones) {
      let living = 0
      for (const creature of this.#creatures.values()) if (creature.zone === zone) living += 1
      // One at a time, so that a zone fills up over some ticks and a full zone costs nothing.
      if (living < zone.count) this.#spawn(zone, nowMs)
    }
  }

  #between({ min, max }: { min: number; max: number }): number {
    return min + this.#world.random() * (max - min)
  }

  #spawn(zone: CreatureZone, nowMs: number): void {
    const { terrain, random, nextVersion } = this.#world
    const x = zone.x + Math.floor(random() * zone.width)
    const y = zone.y + Math.floor(random() * zone.height)
    if (!terrain.isWalkable(x, y)) return
    this.#lastId += 1
    const maxHp = maxHpOf[zone.kind] ?? 10
    const name = zone.kind.charAt(0).toUpperCase() + zone.kind.slice(1)
    const entity: CreatureEntity = {
      kind: "creature",
      id: this.#lastId,
      species: zone.kind,
      name,
      x,
      y,
      facing: "DOWN",
      hp: maxHp,
      maxHp,
      state: "idle",
    }
    const diesAtMs = nowMs + this.#between(lifetimeMs)
    const nextStepAtMs = nowMs + this.#between(pauseMs)
    this.#creatures.set(entity.id, { entity, zone, version: nextVersion(), diesAtMs, nextStepAtMs })
  }

  #wander(creature: Creature, nowMs: number): void {
    const { terrain, random, nextVersion } = this.#world
    creature.nextStepAtMs = nowMs + this.#between(pauseMs)
    const facing = directions[Math.floor(random() * directions.length)] ?? "DOWN"
    const step = stepFrom(terrain, creature.entity, facing)
    const { zone } = creature
    const stays =
      step.ok &&
      step.to.x >= zone.x &&
      step.to.x < zone.x + zone.width &&
      step.to.y >= zone.y &&
      step.to.y < zone.y + zone.height
    creature.entity = stays
      ? { ...creature.entity, ...step.to, facing, state: "wandering" }
      : { ...creature.entity, facing, state: "idle" }
    creature.version = nextVersion()
  }
}
