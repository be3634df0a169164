// Starts requests after all messages of one socket read were parsed, so that a CANCEL of the same read precedes the start of its
// request. A stalled connection delivers requests and their CANCELs together (decision 0054). One microtask for all queues of a
// server.

/** Queue whose start is scheduled. */
export interface Starting {
  /** Starts waiting requests. Must not throw. */
  start(): void
}

export class StartSchedule {
  #due: Starting[] = []
  readonly #run = (): void => {
    const due = this.#due
    this.#due = []
    for (const queue of due) queue.start()
  }

  /** Calls `queue.start()` in the next microtask. */
  add(queue: Starting): void {
    if (this.#due.length === 0) queueMicrotask(this.#run)
    this.#due.push(queue)
  }
}
