// Sends requests of one kind on one connection and records when each was sent. Replies come in request order in every
// protocol here.
import type { Connection } from "./connection.ts"
import type { Request } from "./driver.ts"
import type { RequestTemplate } from "./frame-writer.ts"

export class Requester {
  readonly connection: Connection
  readonly #template: RequestTemplate
  readonly #sentAtMs: Float64Array
  #sent = 0
  #answered = 0

  /** @param outstandingMax limit of requests without a reply. */
  constructor(connection: Connection, request: Request, outstandingMax: number) {
    this.connection = connection
    this.#template = connection.driver.template(request)
    this.#sentAtMs = new Float64Array(outstandingMax)
  }

  get sent(): number {
    return this.#sent
  }

  get answered(): number {
    return this.#answered
  }

  get outstanding(): number {
    return this.#sent - this.#answered
  }

  /** Sends `count` requests in one write. `nowMs`: the time at which they were due. */
  send(count: number, nowMs: number): void {
    if (count === 0) return
    if (this.outstanding + count > this.#sentAtMs.length)
      throw new Error("too many outstanding requests: the limit is ${this.#sentAtMs.length} (outstandingMax)")
    const { driver } = this.connection
    const frames = Buffer.allocUnsafe(count * this.#template.frameBytes)
    let written = 0
    let end = 0
    for (let i = 0; i < count; i += 1) {
      this.#sentAtMs[this.#sent % this.#sentAtMs.length] = nowMs
      end = this.#template.write(this.#sent, frames, end)
      this.#sent += 1
      const follower = driver.sent(this.#template)
      if (follower === undefined) continue
      this.connection.write(frames.subarray(written, end))
      this.connection.write(follower)
      written = end
    }
    if (written < end) this.connection.write(frames.subarray(written, end))
  }

  /** Counts a reply and returns the time since its request was due, in milliseconds. */
  answer(nowMs: number): number {
    if (this.outstanding === 0) throw new Error("received a reply without an outstanding request")
    const sentAtMs = this.#sentAtMs[this.#answered % this.#sentAtMs.length] ?? nowMs
    this.#answered += 1
    return nowMs - sentAtMs
  }

  /** @throws when the last reply does not belong to the oldest request. */
  check(): void {
    const number = this.connection.number()
    if (number !== this.#answered - 1)
      throw new Error(
        `connection ${this.connection.index}: expected reply ${this.#answered - 1}, got ${number}`,
      )
  }
}
