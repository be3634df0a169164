// Direction in which the player wants to walk: the latest of the held ones. Pure.
import type { Direction } from "../../contract.ts"

export class HeldDirections {
  /** Directions by their source (a key, the pad), the latest last. */
  readonly #held = new Map<string, Direction>()
  /** Pressed since the last step: a tap shorter than a frame still counts. */
  #tapped: Direction | undefined

  press(source: string, direction: Direction): void {
    if (this.#held.get(source) === direction) return
    this.#held.delete(source)
    this.#held.set(source, direction)
    this.#tapped = direction
  }

  release(source: string): void {
    this.#held.delete(source)
  }

  releaseAll(): void {
    this.#held.clear()
    this.#tapped = undefined
  }

  /** Returns the direction of the next step. A tap counts once. */
  take(): Direction | undefined {
    const direction = [...this.#held.values()].at(-1) ?? this.#tapped
    this.#tapped = undefined
    return direction
  }
}
