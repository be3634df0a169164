// Turns held directions into steps, one per cooldown. Called once per drawn frame.
import type { HeldDirections } from "./held-directions.ts"
import type { Session } from "../session.ts"

/**
 * Longest delay of a frame that still keeps the rhythm, in milliseconds, so that steps follow each other without a
 * pause.
 */
const lateMaxMs = 60

export function createWalk(session: Session, held: HeldDirections): (nowMs: number) => void {
  let dueAtMs = 0
  return (nowMs) => {
    if (nowMs < dueAtMs) return
    const direction = held.take()
    if (direction === undefined) return
    session.move(direction)
    dueAtMs = (nowMs - dueAtMs <= lateMaxMs ? dueAtMs : nowMs) + session.moveCooldownMs()
  }
}
