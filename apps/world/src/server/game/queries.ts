// Queries of players about themselves: inventory, equipment, skills.
import { itemKinds } from "../../contract.ts"
import type { Belongings, ItemKind } from "../../contract.ts"
import { skillDetails, totalLevel } from "../../rules/skills.ts"
import type { WorldServer, WorldSession } from "./world-types.ts"

const inventorySlots = 28
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
export const noBonuses: Readonly<Record<string, number>> = Object.fromEntries(
  statNames.map((name) => [`${name}_bonus`, 0]),
)

/** @param belongingsOf throws for a session whose player is not in the world. */
export function answerAboutOneself(
  server: WorldServer,
  belongingsOf: (session: WorldSession) => Belongings,
): void {
  server.query("inventory", ({ session }) => ({
    slots: slotsOf(belongingsOf(session)),
    maxSlots: inventorySlots,
  }))
  server.query("equipment", () => ({ slots: equipmentSlots, totalStats: { ...noBonuses } }))
  server.query("stats", ({ session }) => {
    const xp = belongingsOf(session)
    return { stats: { ...noBonuses }, skills: skillDetails(xp), totalLevel: totalLevel(xp) }
  })
}

/** Returns one slot for each kind of item that is carried. */
function slotsOf(
  carried: Readonly<Record<ItemKind, number>>,
): { slot: number; item: ItemKind; quantity: number }[] {
  return itemKinds
    .filter((item) => carried[item] > 0)
    .map((item, slot) => ({ slot, item, quantity: carried[item] }))
}
