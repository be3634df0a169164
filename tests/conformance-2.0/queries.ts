// Section 5: queries about the own player, in both forms of section 10.
import type { CaseContext, ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, intAt, listAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { enter } from "./player.ts"
import { expectReplyWithContent, requestOnce } from "./reply.ts"
import {
  anyMap,
  either,
  exactly,
  expectShape,
  fields,
  flag,
  int,
  list,
  nil,
  nonEmptyText,
  numeric,
  onlyFields,
  text,
  type Shape,
} from "./shape.ts"

const BONUSES = [
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
] as const

const SLOTS = [
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
] as const

const bonusesShape = onlyFields(Object.fromEntries(BONUSES.map((name) => [`${name}_bonus`, int])))

const itemShape = fields({
  id: int,
  name: nonEmptyText,
  display_name: nonEmptyText,
  description: text,
  category: nonEmptyText,
  rarity: nonEmptyText,
  rarity_color: nonEmptyText,
  equipment_slot: either(text, nil),
  max_stack_size: int,
  is_two_handed: flag,
  max_durability: either(int, nil),
  is_indestructible: flag,
  required_skill: either(text, nil),
  required_level: int,
  is_tradeable: flag,
  value: int,
  ammo_type: either(text, nil),
  stats: bonusesShape,
  icon_sprite_id: text,
  equipped_sprite_id: either(text, nil),
})

const inventoryShape = fields({
  slots: list(fields({ slot: int, item: itemShape, quantity: int, current_durability: either(int, nil) })),
  max_slots: exactly(28),
  used_slots: int,
})

const equipmentShape = fields({
  slots: list(
    fields({
      slot: nonEmptyText,
      item: either(itemShape, nil),
      quantity: either(int, nil),
      current_durability: either(int, nil),
    }),
    SLOTS.length,
  ),
  total_stats: bonusesShape,
})

const skillShape = fields({
  name: nonEmptyText,
  category: nonEmptyText,
  description: text,
  current_level: int,
  experience: int,
  xp_for_current_level: int,
  xp_for_next_level: int,
  xp_to_next_level: int,
  xp_multiplier: numeric,
  progress_percent: numeric,
  max_level: int,
})

/** Sends the query, and requires resp_data in both forms: data_type with data, and these flat keys. */
async function ask(
  context: CaseContext,
  type: string,
  flat: Readonly<Record<string, Shape>>,
): Promise<Frame> {
  const { client } = await enter(context)
  const reply = await requestOnce(client, type, {})
  expectReplyWithContent(reply)
  expectShape("resp_data", reply.payload, fields({ data_type: nonEmptyText, data: anyMap, ...flat }))
  return reply
}

export const queryCases: readonly ConformanceCase[] = [
  {
    name: "answers query_inventory with the occupied slots of 28",
    section: "5",
    run: async (context) => {
      const { payload } = await ask(context, "query_inventory", { inventory: inventoryShape })
      const slots = listAt(payload, "inventory", "slots")
      expectEqual("used_slots", intAt(payload, "inventory", "used_slots"), slots.length)
    },
  },
  {
    name: "answers query_equipment with eleven slots in order and thirteen totals",
    section: "5",
    run: async (context) => {
      const { payload } = await ask(context, "query_equipment", { equipment: equipmentShape })
      expectEqual(
        "slots",
        listAt(payload, "equipment", "slots").map((slot) => at(slot, "slot")),
        [...SLOTS],
      )
    },
  },
  {
    name: "answers query_stats with thirteen stats, the skills and the total level",
    section: "5",
    run: async (context) => {
      const flat = { stats: bonusesShape, skills: list(skillShape), total_level: int }
      const { payload } = await ask(context, "query_stats", flat)
      const skills = listAt(payload, "skills")
      expectThat(skills.length > 0, "at least one skill", skills)
    },
  },
  {
    name: "ignores unknown fields of a payload",
    section: "4",
    run: async (context) => {
      const { client } = await enter(context)
      expectReplyWithContent(await client.request("query_stats", { extra: { nested: [1, 2, 3] } }))
    },
  },
]
