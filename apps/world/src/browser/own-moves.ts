// Predicts the position of the player's own figure while steps are unanswered. Pure. Invariant: `predicted` is
// `confirmed` with every unanswered step applied in order.
import { movesInFlight } from "../contract.ts"
import type { Direction } from "../contract.ts"
import { stepFrom } from "../rules/movement.ts"
import type { Terrain, Tile } from "../rules/movement.ts"

interface Unanswered {
  readonly number: number
  readonly direction: Direction
}

export interface OwnMoves {
  readonly confirmed: Tile
  readonly predicted: Tile
  readonly unanswered: readonly Unanswered[]
  /** Number of the next step. */
  readonly next: number
}

export function startOwnMoves(at: Tile): OwnMoves {
  return { confirmed: at, predicted: at, unanswered: [], next: 0 }
}

/** Predicts a step. Returns undefined if the step is blocked, or if too many steps are unanswered. */
export function predictStep(moves: OwnMoves, direction: Direction, terrain: Terrain): OwnMoves | undefined {
  if (moves.unanswered.length >= movesInFlight) return undefined
  const step = stepFrom(terrain, moves.predicted, direction)
  if (!step.ok) return undefined
  return {
    ...moves,
    predicted: step.to,
    unanswered: [...moves.unanswered, { number: moves.next, direction }],
    next: moves.next + 1,
  }
}

/** Applies the server's answer to step `number`: the player's position, or undefined if the server refused it. */
export function settleStep(
  moves: OwnMoves,
  answer: { readonly number: number; readonly at: Tile | undefined },
  terrain: Terrain,
): OwnMoves {
  const unanswered = moves.unanswered.filter(({ number }) => number !== answer.number)
  return replay({ ...moves, confirmed: answer.at ?? moves.confirmed, unanswered }, terrain)
}

/** Applies a position that is no answer to a step. It is ignored while steps are unanswered, because it is older. */
export function placeOwn(moves: OwnMoves, at: Tile): OwnMoves {
  return moves.unanswered.length > 0 ? moves : { ...moves, confirmed: at, predicted: at }
}

function replay(moves: OwnMoves, terrain: Terrain): OwnMoves {
  let predicted = moves.confirmed
  for (const { direction } of moves.unanswered) {
    const step = stepFrom(terrain, predicted, direction)
    if (step.ok) predicted = step.to
  }
  return { ...moves, predicted }
}
