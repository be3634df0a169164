// Every open connection of a server, with or without a session.
import type { AuthenticatedUser } from "../authenticate.ts"
import type { RunningConnection } from "./run-connection.ts"

export class OpenConnections<User extends AuthenticatedUser> implements Iterable<RunningConnection<User>> {
  readonly #connections = new Set<RunningConnection<User>>()
  readonly #waiters: (() => void)[] = []

  get size(): number {
    return this.#connections.size
  }

  /** Those of this moment: they may come and go while the caller walks through them. */
  [Symbol.iterator](): Iterator<RunningConnection<User>> {
    return [...this.#connections].values()
  }

  add(connection: RunningConnection<User>): void {
    this.#connections.add(connection)
  }

  delete(connection: RunningConnection<User>): void {
    this.#connections.delete(connection)
    if (this.#connections.size > 0) return
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** Resolves when the last connection has gone. */
  emptied(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }
}
