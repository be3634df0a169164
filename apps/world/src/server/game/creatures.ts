// Creatures that spawn, wander in their zones, and despawn. Random numbers and time are inputs, so tests can reproduce
// a run.
import type { CreatureFields } from "../../contract.ts"
import { directions } from "../../contract.ts"
import type { CreatureZone } from "../../rules/map.ts"
import { stepFrom } from "../../rules/movement.ts"
import type { Terrain, Tile } from "../../rules/movement.ts"
import type { Shown } from "./shown.ts"

interface Creature {
  readonly id: string
  fields: CreatureFields
  readonly zone: CreatureZone
  readonly diesAtMs: number
  nextStepAtMs: number
}

/** Far above any player's number, so that numbers of players and creatures are always distinct. */
const firstCreatureId = 1_000_000
const lifetimeMs = { min: 60_000, max: 240_000 }
const pauseMs = { min: 400, max: 3_000 }
const maxHpOf: Readonly<Record<string, number>> = { rabbit: 5, slime: 12, wolf: 30 }

export interface CreatureWorld {
  readonly terrain: Terrain
  readonly zones: readonly CreatureZone[]
  /** Returns a number from [0, 1). */
  readonly random: () => number
  readonly shown: Shown<CreatureFields>
}

export class Creatures {
  readonly #world: CreatureWorld
  readonly #creatures = new Set<Creature>()
  #lastId = firstCreatureId

  constructor(world: CreatureWorld) {
    this.#world = world
  }

  /** Continues the creatures that an earlier process has left; their lifetimes begin again. Removes those that no zone has. */
  begin(nowMs: number): void {
    const { shown, zones } = this.#world
    for (const [id, fields] of [...shown]) {
      this.#lastId = Math.max(this.#lastId, Number(id))
      const zone = zones.find((one) => one.kind === fields.species && isInside(one, fields))
      if (zone === undefined) shown.remove(id)
      else this.#add({ id, fields, zone }, nowMs)
    }
  }

  tick(nowMs: number): void {
    for (const creature of this.#creatures) {
      if (nowMs >= creature.diesAtMs) {
        this.#creatures.delete(creature)
        this.#world.shown.remove(creature.id)
      } else if (nowMs >= creature.nextStepAtMs) {
        this.#wander(creature, nowMs)
      }
    }
    for (const zone of this.#world.zones) {
      let living = 0
      for (const creature of this.#creatures) if (creature.zone === zone) living += 1
      // One spawn a tick: a zone fills up over several ticks, and a full zone costs nothing.
      if (living < zone.count) this.#spawn(zone, nowMs)
    }
  }

  #between({ min, max }: { min: number; max: number }): number {
    return min + this.#world.random() * (max - min)
  }

  #spawn(zone: CreatureZone, nowMs: number): void {
    const { terrain, random, shown } = this.#world
    const x = zone.x + Math.floor(random() * zone.width)
    const y = zone.y + Math.floor(random() * zone.height)
    if (!terrain.isWalkable(x, y)) return
    this.#lastId += 1
    const maxHp = maxHpOf[zone.kind] ?? 10
    const fields: CreatureFields = {
      species: zone.kind,
      x,
      y,
      facing: "DOWN",
      hp: maxHp,
      maxHp,
      state: "idle",
    }
    const id = String(this.#lastId)
    this.#add({ id, fields, zone }, nowMs)
    shown.set(id, fields)
  }

  #add(creature: Pick<Creature, "id" | "fields" | "zone">, nowMs: number): void {
    const diesAtMs = nowMs + this.#between(lifetimeMs)
    const nextStepAtMs = nowMs + this.#between(pauseMs)
    this.#creatures.add({ ...creature, diesAtMs, nextStepAtMs })
  }

  #wander(creature: Creature, nowMs: number): void {
    const { terrain, random, shown } = this.#world
    creature.nextStepAtMs = nowMs + this.#between(pauseMs)
    const facing = directions[Math.floor(random() * directions.length)] ?? "DOWN"
    const step = stepFrom(terrain, creature.fields, facing)
    const { zone } = creature
    creature.fields =
      step.ok && isInside(zone, step.to)
        ? { ...creature.fields, ...step.to, facing, state: "wandering" }
        : { ...creature.fields, facing, state: "idle" }
    shown.set(creature.id, creature.fields)
  }
}

function isInside(zone: CreatureZone, { x, y }: Tile): boolean {
  return x >= zone.x && x < zone.x + zone.width && y >= zone.y && y < zone.y + zone.height
}
