// Ground items and inventory items in the shapes of `2.0`.
import type { GroundItemFields, ItemKind } from "../../contract.ts"
import { noBonuses } from "../game/queries.ts"
import type { Identified } from "./shapes.ts"

interface ItemText {
  readonly id: number
  readonly displayName: string
  readonly description: string
}

const texts: Readonly<Record<ItemKind, ItemText>> = {
  log: { id: 1, displayName: "Log", description: "What is left of a tree." },
  ore: { id: 2, displayName: "Ore", description: "What is left of a rock." },
}

const commonColour = "#ffffff"

export function groundItem20({ id, kind, x, y }: Identified<GroundItemFields>): object {
  return {
    type: "ground_item",
    id: Number(id),
    item_id: texts[kind].id,
    item_name: kind,
    display_name: texts[kind].displayName,
    rarity: "common",
    x,
    y,
    quantity: 1,
    is_protected: false,
    icon_sprite_id: kind,
  }
}

export function slot20(slot: {
  readonly slot: number
  readonly item: ItemKind
  readonly quantity: number
}): object {
  return {
    slot: slot.slot,
    item: item20(slot.item),
    quantity: slot.quantity,
    current_durability: null,
  }
}

function item20(kind: ItemKind): object {
  const { id, displayName, description } = texts[kind]
  return {
    id,
    name: kind,
    display_name: displayName,
    description,
    category: "material",
    rarity: "common",
    rarity_color: commonColour,
    equipment_slot: null,
    max_stack_size: 9_999,
    is_two_handed: false,
    max_durability: null,
    is_indestructible: false,
    required_skill: null,
    required_level: 1,
    is_tradeable: false,
    value: 1,
    ammo_type: null,
    stats: noBonuses,
    icon_sprite_id: kind,
    equipped_sprite_id: null,
  }
}
