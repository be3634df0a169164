// Changes of the books by a server process, in their order. After the process's death those changes of which its journal holds
// nothing are taken back.

export class UndoLog {
  readonly #undos: (() => void)[] = []

  /** Number of changes. */
  get position(): number {
    return this.#undos.length
  }

  /** Adds a change. `undo` takes it back. */
  add(undo: () => void): void {
    this.#undos.push(undo)
  }

  /** Takes the changes after this position back, the newest first. */
  backTo(position: number): void {
    while (this.#undos.length > position) this.#undos.pop()?.()
  }
}
