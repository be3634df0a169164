// Queries of players about themselves: inventory, equipment, skills.
import type { ItemKind } from "../../contract.ts"
import { itemKinds } from "../../contract.ts"
import { skillDetails, totalLevel } from "../../rules/skills.ts"
import type { WorldServer } from "./world-types.ts"
import type { PlayerState } from "./player-state.ts"
import type { WorldSession } from "./world-types.ts"

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

/** @param playerOf throws for a session whose player is not in the world. */
export function answerAboutOneself(
  server: WorldServer,
  playerOf: (session: WorldSession) => PlayerState,
): void {
  server.query("inventory", ({ session }) => ({
    slots: slotsOf(playerOf(session).carried),
    maxSlots: inventorySlots,
  }))
  server.query("equipment", () => ({ slots: equipmentSlots, totalStats: { ...noBonuses } }))
  server.query("stats", ({ session }) => {
    const { xp } = playerOf(session)
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
