// Who walks about in the world, as the page knows them: records of replicas with their kind and number.
import type { CreatureFields, PlayerFields } from "../contract.ts"

export interface PlayerEntity extends PlayerFields {
  readonly kind: "player"
  readonly id: string
}

export interface CreatureEntity extends CreatureFields {
  readonly kind: "creature"
  readonly id: string
}

export type Entity = PlayerEntity | CreatureEntity
