// Players and creatures in the page: records of replicas with their kind and id.
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
