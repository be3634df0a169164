// Client and server sockets inside one process, on any clock, with the faults of real ones: latency, cuts,
// black holes, stalled readers, sends that fail. Knows nothing of what the bytes mean.
import type { Clock } from "../base/clock.ts"
import type { Accept, Connection, ConnectionEvents, Dial, OutboundMessage } from "../transport.ts"
import { chooseProfile, subprotocol } from "../wire/version.ts"

type Item =
  | { readonly kind: "message"; readonly bytes: Uint8Array; readonly dueMs: number }
  | { readonly kind: "text"; readonly dueMs: number }
  | { readonly kind: "close"; readonly code: number; readonly reason: string; readonly dueMs: number }

/** One end of a link. */
class MemoryEnd implements Connection {
  readonly sent: Uint8Array[] = []
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly #queue: Item[] = []
  #events: ConnectionEvents | undefined
  #peer: MemoryEnd | undefined
  #open = true
  #paused = false
  #stalled = false
  #refusesSends = false
  #scheduled = false

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock
    this.#latencyMs = latencyMs
  }

  bind(peer: MemoryEnd, events: ConnectionEvents): void {
    this.#peer = peer
    this.#events = events
  }

  /** A frozen network or reader: what this end sends stays buffered. */
  stall(stalled: boolean): void {
    this.#stalled = stalled
    this.#schedule()
  }

  /** A socket that has died without telling: sends fail, no `closed` comes by itself. */
  refuseSends(): void {
    this.#refusesSends = true
  }

  get isOpen(): boolean {
    return this.#open
  }

  get bufferedBytes(): number {
    return this.#queue.reduce((sum, item) => sum + (item.kind === "message" ? item.bytes.length : 0), 0)
  }

  send(message: OutboundMessage): boolean {
    if (!this.#open || this.#refusesSends) return false
    this.sent.push(message.bytes)
    this.#push({ kind: "message", bytes: message.bytes, dueMs: this.#clock.now() + this.#latencyMs })
    return true
  }

  sendText(): void {
    this.#push({ kind: "text", dueMs: this.#clock.now() + this.#latencyMs })
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#push({ kind: "close", code, reason, dueMs: this.#clock.now() + this.#latencyMs })
    this.#open = false
  }

  terminate(): void {
    this.#drop(1006, "")
    this.#peer?.drop()
  }

  /** The socket ends without a closing handshake; the owner hears of it in a later turn. */
  drop(): void {
    this.#clock.schedule(0, () => this.#drop(1006, ""))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#peer?.wake()
  }

  ping(): void {
    this.#clock.schedule(2 * this.#latencyMs, () => {
      if (this.#open && this.#peer?.isOpen === true && !this.#stalled) this.#events?.pong()
    })
  }

  /** The reader takes messages again. */
  wake(): void {
    this.#schedule()
  }

  #push(item: Item): void {
    this.#queue.push(item)
    this.#schedule()
  }

  #schedule(): void {
    const [first] = this.#queue
    if (first === undefined || this.#scheduled || this.#stalled) return
    this.#scheduled = true
    this.#clock.schedule(Math.max(0, first.dueMs - this.#clock.now()), () => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    const wasWaiting = this.#queue.length > 0
    while (!this.#stalled && this.#peer?.accepts() === true) {
      const [first] = this.#queue
      if (first === undefined || first.dueMs > this.#clock.now()) break
      this.#queue.shift()
      this.#peer.receive(first)
      if (first.kind === "close") this.#drop(first.code, first.reason)
    }
    if (wasWaiting && this.#queue.length === 0 && this.#open) this.#events?.drained()
    if (this.#peer?.accepts() === true) this.#schedule()
  }

  accepts(): boolean {
    return this.#events !== undefined && !this.#paused
  }

  receive(item: Item): void {
    if (item.kind === "close") this.#drop(item.code, item.reason)
    else if (item.kind === "text") this.#events?.text()
    else this.#events?.message(item.bytes)
  }

  #drop(code: number, reason: string): void {
    const events = this.#events
    this.#open = false
    this.#events = undefined
    this.#queue.length = 0
    events?.closed(code, reason)
  }
}

/** Both ends of one socket, for tests that hurt it. */
export interface MemoryLink {
  readonly client: MemoryEnd
  readonly server: MemoryEnd
  /** Both ends lose the socket, as by a TCP reset. */
  cut(): void
  /** Nothing passes any more in either direction; nobody is told. */
  blackHole(): void
}

export interface MemoryNetwork {
  readonly dial: Dial
  /** Every link in the order of dialling. */
  readonly links: readonly MemoryLink[]
  /** False: dialling fails as if nobody listened. */
  listening: boolean
}

export interface MemoryNetworkOptions {
  readonly clock: Clock
  readonly accept: Accept
  /** One way, per message. Default 0: delivered in the next turn. */
  readonly latencyMs?: number
  /** The address that the server sees. Default "memory". */
  readonly address?: string
}

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const { clock, accept, latencyMs = 0, address = "memory" } = options
  const links: MemoryLink[] = []

  const dial: Dial = (_url, protocols, events) => {
    const client = new MemoryEnd(clock, latencyMs)
    const server = new MemoryEnd(clock, latencyMs)
    const blackHole = (): void => {
      client.stall(true)
      server.stall(true)
    }
    links.push({ client, server, cut: () => client.terminate(), blackHole })
    client.bind(server, events)
    clock.schedule(latencyMs, () => {
      const profile = chooseProfile(protocols)
      if (!client.isOpen) return
      if (!network.listening || profile === undefined) {
        client.terminate()
        return
      }
      server.bind(client, accept({ connection: server, profile, address }))
      events.open(profile === "hawser.1" ? subprotocol : "")
    })
    return client
  }

  const network: MemoryNetwork = { dial, links, listening: true }
  return network
}
