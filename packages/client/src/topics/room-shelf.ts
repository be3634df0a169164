// The rooms of a client by their names. One that is used stays; one that nobody is in or listens to stays as long as the
// application holds it, so that a client which wanders from topic to topic for days does not keep them all.
import type { Room } from "./topic-room.ts"

/** A look for rooms that are no longer used comes when so many were added, and as many as were left after the last one. */
const sweepMin = 64

export class RoomShelf {
  readonly #used = new Map<string, Room>()
  readonly #idle = new Map<string, WeakRef<Room>>()
  #sweepAt = sweepMin

  /** Rooms that it keeps, or still knows of. */
  get size(): number {
    return this.#used.size + this.#idle.size
  }

  get(name: string): Room | undefined {
    return this.#used.get(name) ?? this.#idle.get(name)?.deref()
  }

  /** Somebody wants to be in it, or to hear of it. */
  use(room: Room): void {
    if (this.#used.has(room.name)) return
    this.#used.set(room.name, room)
    this.#idle.delete(room.name)
    if (this.size >= this.#sweepAt) this.#sweep()
  }

  /** Of this moment. */
  all(): Room[] {
    return [...this.#used.values(), ...[...this.#idle.values()].flatMap((idle) => idle.deref() ?? [])]
  }

  #sweep(): void {
    for (const [name, idle] of this.#idle) if (idle.deref() === undefined) this.#idle.delete(name)
    for (const [name, room] of this.#used) {
      if (room.isUsed) continue
      this.#used.delete(name)
      this.#idle.set(name, new WeakRef(room))
    }
    this.#sweepAt = Math.max(sweepMin, 2 * this.size)
  }
}
