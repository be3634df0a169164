// The topics of a client by name. Holds a used topic (joined, or with listeners) strongly and an unused one weakly, so the
// memory of a client that visits many topics does not grow. Must not know frames or sessions.
import type { Topic } from "./topic.ts"

/** Least size at which the shelf is swept. The next sweep follows at twice the size that the last one left. */
const sweepMin = 64

export class TopicShelf {
  readonly #used = new Map<string, Topic>()
  readonly #idle = new Map<string, WeakRef<Topic>>()
  #sweepAt = sweepMin

  /** Number of used topics and of weak references. */
  get size(): number {
    return this.#used.size + this.#idle.size
  }

  get(name: string): Topic | undefined {
    return this.#used.get(name) ?? this.#idle.get(name)?.deref()
  }

  /** Holds a topic strongly until a sweep finds it unused. */
  use(topic: Topic): void {
    if (this.#used.has(topic.name)) return
    this.#used.set(topic.name, topic)
    this.#idle.delete(topic.name)
    if (this.size >= this.#sweepAt) this.#sweep()
  }

  /** Returns a copy of the list of topics. */
  all(): Topic[] {
    return [...this.#used.values(), ...[...this.#idle.values()].flatMap((idle) => idle.deref() ?? [])]
  }

  #sweep(): void {
    for (const [name, idle] of this.#idle) if (idle.deref() === undefined) this.#idle.delete(name)
    for (const [name, topic] of this.#used) {
      if (topic.isUsed) continue
      this.#used.delete(name)
      this.#idle.set(name, new WeakRef(topic))
    }
    this.#sweepAt = Math.max(sweepMin, 2 * this.size)
  }
}
