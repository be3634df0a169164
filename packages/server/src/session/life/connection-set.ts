// Set of a server's open connections, with or without a session.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { RunningConnection } from "../opening/run-connection.ts"

export class ConnectionSet<User extends AuthenticatedUser> implements Iterable<RunningConnection<User>> {
  readonly #connections = new Set<RunningConnection<User>>()
  readonly #waiters = new Set<() => void>()

  get size(): number {
    return this.#connections.size
  }

  /** Iterates over a copy, so that connections may open and close meanwhile. */
  [Symbol.iterator](): Iterator<RunningConnection<User>> {
    return [...this.#connections].values()
  }

  add(connection: RunningConnection<User>): void {
    this.#connections.add(connection)
  }

  delete(connection: RunningConnection<User>): void {
    if (!this.#connections.delete(connection)) return
    for (const check of [...this.#waiters]) check()
  }

  /** Resolves when no connection is open. */
  emptied(): Promise<void> {
    return this.#until(() => this.#connections.size === 0)
  }

  /** Resolves when all of these connections have closed. */
  closed(these: readonly RunningConnection<User>[]): Promise<void> {
    const left = new Set(these)
    return this.#until(() => {
      for (const connection of left) {
        if (this.#connections.has(connection)) return false
        left.delete(connection)
      }
      return true
    })
  }

  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isDone()) return
        this.#waiters.delete(check)
        resolve()
      }
      this.#waiters.add(check)
      check()
    })
  }
}
