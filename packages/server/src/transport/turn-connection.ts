// Puts the output of any other connection behind the server's `Turn`: those of `server.accept`, such as an in-memory network.
// The own transports (`ws`, Bun) join the turn themselves. Must not know the meaning of the bytes.
import type { Accept, OutboundMessage, ServerConnection } from "@hawser/protocol/core"
import type { Outlet, Turn } from "./turn.ts"

/** One output, in the order of acceptance. */
type Output = OutboundMessage | "ping" | { readonly code: number; readonly reason: string }

export class TurnConnection implements ServerConnection, Outlet {
  readonly #connection: ServerConnection
  readonly #turn: Turn
  /** Latest turn that the connection has joined and that was not released; 0 if there is none. */
  #joined = 0
  /** Output of turn `#joined`. */
  #queue: Output[] = []
  #queuedBytes = 0
  /** Output of the previous turn, while that turn is sealed. */
  #sealed: Output[] = []
  #sealedBytes = 0
  #acceptsOutput = true

  constructor(connection: ServerConnection, turn: Turn) {
    this.#connection = connection
    this.#turn = turn
  }

  get isOpen(): boolean {
    return this.#acceptsOutput && this.#connection.isOpen
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#sealedBytes + this.#connection.bufferedBytes
  }

  awaitDrain(): void {
    this.#connection.awaitDrain?.()
  }

  send(message: OutboundMessage): boolean {
    if (!this.#add(message)) return false
    this.#queuedBytes += message.bytes.length
    return true
  }

  ping(): void {
    if (this.#connection.ping === undefined) return
    if (!this.isOpen || !this.#turn.ahead(() => this.#connection.ping?.())) this.#add("ping")
  }

  sendAhead(message: () => OutboundMessage): boolean {
    return this.isOpen && this.#turn.ahead(() => this.#connection.send(message()))
  }

  close(code: number, reason: string): void {
    this.#add({ code, reason })
    this.#acceptsOutput = false
  }

  terminate(): void {
    this.#acceptsOutput = false
    this.#swap()
    this.#sealed = []
    this.#sealedBytes = 0
    this.#connection.terminate()
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  release(turn: number): void {
    if (!this.#turn.permits(this, turn)) return
    if (turn === this.#joined) this.#swap()
    const outputs = this.#sealed
    this.#sealed = []
    this.#sealedBytes = 0
    for (const output of outputs) this.#write(output)
  }

  #add(output: Output): boolean {
    if (!this.isOpen) return false
    if (this.#joined !== this.#turn.open) {
      if (this.#joined !== 0) this.#swap()
      this.#joined = this.#turn.open
      this.#turn.join(this)
    }
    this.#queue.push(output)
    return true
  }

  /** Seals the output of the joined turn. Previously sealed output was released, because at most one turn is sealed. */
  #swap(): void {
    this.#joined = 0
    this.#sealed = this.#queue
    this.#sealedBytes = this.#queuedBytes
    this.#queue = []
    this.#queuedBytes = 0
  }

  #write(output: Output): void {
    if (output === "ping") this.#connection.ping?.()
    else if ("bytes" in output) this.#connection.send(output)
    else this.#connection.close(output.code, output.reason)
  }
}

/** Returns an `Accept` that puts the output of each connection behind the turn. */
export function acceptInTurn(accept: Accept, turn: Turn): Accept {
  return (accepted) => accept({ ...accepted, connection: new TurnConnection(accepted.connection, turn) })
}
