// Levels of the skills, and the progress to the next level.
import { useState } from "preact/hooks"
import { skillMaxLevel, xpForLevel } from "../../rules/skills.ts"
import type { Session } from "../session.ts"
import { useStore } from "../store.ts"

export function Skills({ session }: { readonly session: Session }) {
  const skills = useStore(session.skills)
  // A phone has no space for it at first.
  const [isOpen, setIsOpen] = useState(() => !matchMedia("(max-width: 720px)").matches)
  const rows = Object.entries(skills)
  const total = rows.reduce((sum, [, { level }]) => sum + level, 0)
  return (
    <section class="skills panel" data-testid="skills" aria-label="Skills">
      <button class="skills-title" type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <span>Skills</span>
        <b>{total}</b>
      </button>
      {isOpen && (
        <dl>
          {rows.map(([name, { level, xp }]) => (
            <Skill key={name} name={name} level={level} xp={xp} />
          ))}
        </dl>
      )}
    </section>
  )
}

function Skill({ name, level, xp }: { readonly name: string; readonly level: number; readonly xp: number }) {
  const from = xpForLevel(level)
  const to = xpForLevel(level + 1)
  const part = level >= skillMaxLevel || to <= from ? 1 : Math.min(1, Math.max(0, (xp - from) / (to - from)))
  const title = level >= skillMaxLevel ? `${xp} experience` : `${xp} of ${to} experience`
  return (
    <div class="skill" data-skill={name} title={title}>
      <dt>{name}</dt>
      <dd>{level}</dd>
      <div class="skill-bar" aria-hidden="true">
        <i style={{ width: `${(part * 100).toFixed(1)}%` }} />
      </div>
    </div>
  )
}
