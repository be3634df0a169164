// Skills, their experience and levels. Pure.
import { skillNames } from "../contract.ts"
import type { SkillDetail } from "../contract.ts"

export type SkillName = (typeof skillNames)[number]

export const skillMaxLevel = 99

const descriptions: Readonly<Record<SkillName, { category: string; description: string }>> = {
  exploration: { category: "world", description: "Grows with every step." },
  woodcutting: { category: "gathering", description: "Felling trees." },
  mining: { category: "gathering", description: "Breaking rocks." },
  attack: { category: "combat", description: "Hitting what you aim at." },
  strength: { category: "combat", description: "Hitting hard." },
  defence: { category: "combat", description: "Not being hit." },
  hitpoints: { category: "combat", description: "Staying alive." },
}

export const stepXp = 1
export const gatherXp = 25

/**
 * Returns the experience at which a level begins: 0, 100, 208, 325, …; each level needs 8 % more than the previous one.
 * 99 levels.
 */
export function xpForLevel(level: number): number {
  const steps = Math.min(level, skillMaxLevel) - 1
  return Math.round((100 * (1.08 ** steps - 1)) / 0.08)
}

export function levelOf(xp: number): number {
  let level = 1
  while (level < skillMaxLevel && xp >= xpForLevel(level + 1)) level += 1
  return level
}

export type SkillXp = Readonly<Record<SkillName, number>>

/** Returns the experience in each skill; 0 where it is missing. */
export function skillsOf(stored: Readonly<Partial<Record<SkillName, number>>>): Record<SkillName, number> {
  const xpOf = (name: SkillName): number => stored[name] ?? 0
  return {
    exploration: xpOf("exploration"),
    woodcutting: xpOf("woodcutting"),
    mining: xpOf("mining"),
    attack: xpOf("attack"),
    strength: xpOf("strength"),
    defence: xpOf("defence"),
    hitpoints: xpOf("hitpoints"),
  }
}

export function skillLevels(xp: SkillXp): Record<string, { level: number; xp: number }> {
  return Object.fromEntries(skillNames.map((name) => [name, { level: levelOf(xp[name]), xp: xp[name] }]))
}

export function skillDetails(xp: SkillXp): SkillDetail[] {
  return skillNames.map((name) => {
    const level = levelOf(xp[name])
    return {
      name,
      ...descriptions[name],
      level,
      xp: xp[name],
      xpForLevel: xpForLevel(level),
      xpForNextLevel: xpForLevel(Math.min(skillMaxLevel, level + 1)),
      maxLevel: skillMaxLevel,
    }
  })
}

export function totalLevel(xp: SkillXp): number {
  return skillNames.reduce((sum, name) => sum + levelOf(xp[name]), 0)
}
