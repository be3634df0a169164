// Where a player stands and what the player has, in the shapes of the records and of the database. Pure.
import { itemKinds } from "../../contract.ts"
import type { Belongings, Departed, ItemKind, PlayerFields } from "../../contract.ts"
import { outfitCount } from "../../rules/outfits.ts"
import { skillsOf } from "../../rules/skills.ts"
import type { KnownPlayer, Progress } from "../store/player-record.ts"

/** Place, health, goods and experience. */
export type Standing = Departed

/** Returns what the database holds. Earlier versions may have stored parts of a point of experience. */
export function storedStanding({ x, y, facing, currentHp, maxHp, skills, goods }: KnownPlayer): Standing {
  const xp = Object.fromEntries(Object.entries(skills).map(([name, points]) => [name, Math.floor(points)]))
  return { x, y, facing, hp: currentHp, maxHp, ...goodsOf(goods), ...skillsOf(xp) }
}

/** Returns what the database is to hold. */
export function progressOf(id: number, mapId: string, standing: Standing): Progress {
  const { x, y, facing, hp, maxHp } = standing
  const place = { mapId, x, y, facing }
  return { id, ...place, currentHp: hp, maxHp, skills: skillsOf(standing), goods: goodsOf(standing) }
}

/** Returns the record that other players see. */
export function playerFieldsOf(
  { id, username }: KnownPlayer,
  { x, y, facing, hp, maxHp }: Standing,
  away: boolean,
): PlayerFields {
  return { username, x, y, facing, hp, maxHp, outfit: id % outfitCount, away }
}

/** Returns the record that only the player sees. */
export function belongingsOf(standing: Standing): Belongings {
  return { ...goodsOf(standing), ...skillsOf(standing) }
}

export function standingOf({ x, y, facing, hp, maxHp }: PlayerFields, belongings: Belongings): Standing {
  return { x, y, facing, hp, maxHp, ...belongings }
}

/** Returns the number of pieces of all kinds. */
export function piecesOf(goods: Readonly<Record<ItemKind, number>>): number {
  return itemKinds.reduce((sum, kind) => sum + goods[kind], 0)
}

function goodsOf({
  log = 0,
  ore = 0,
}: Readonly<Partial<Record<ItemKind, number>>>): Record<ItemKind, number> {
  return { log, ore }
}
