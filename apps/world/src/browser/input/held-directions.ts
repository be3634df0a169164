// Which way the player wants to go: of all that is held the latest. Pure.
import type { Direction } from "../../contract.ts"

export class HeldDirections {
  /** By what holds it (a key, the pad), the latest last. */
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

  /** The direction of the next step, taken: a tap counts once. */
  take(): Direction | undefined {
    const direction = [...this.#held.values()].at(-1) ?? this.#tapped
    this.#tapped = undefined
    return direction
  }
}
