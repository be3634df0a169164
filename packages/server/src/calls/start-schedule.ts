// When requests start: after everything of one read of a socket was parsed, so that a CANCEL of the same read comes before
// the start of its request. A connection that was stalled delivers requests and their CANCELs together (decision 0054).
// One microtask for all queues of a server.

export interface Starting {
  /** Starts what may start. Must not throw. */
  start(): void
}

export class StartSchedule {
  #due: Starting[] = []
  readonly #run = (): void => {
    const due = this.#due
    this.#due = []
    for (const queue of due) queue.start()
  }

  add(queue: Starting): void {
    if (this.#due.length === 0) queueMicrotask(this.#run)
    this.#due.push(queue)
  }
}
