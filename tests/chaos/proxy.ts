// A TCP proxy with deliberate faults between a real client and a real server. Each connection gets a behaviour when it
// arrives, from a script or from a seed, and a test can change it later. With a seed every draw is the same in every
// run; the kernel's division of the stream into chunks is not.
import type { Clock } from "@hawser/protocol"
import { seededRandom } from "@hawser/protocol/testing"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { Server, Socket } from "node:net"
import { directions } from "./behaviour.ts"
import type { ConnectionBehaviour, LaneBehaviour, Plan } from "./behaviour.ts"
import { Lane } from "./lane.ts"

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ChaosProxyOptions {
  readonly to: Address
  /** Default: 127.0.0.1 and a free port. */
  readonly listen?: Partial<Address>
  /** Default: every connection passes unchanged. */
  readonly plan?: Plan
  /** Seed for the draws of the plan and of jitter. Default 0. */
  readonly seed?: number
  /** Default: real time. */
  readonly clock?: Clock
  readonly onConnection?: (connection: ChaosConnection) => void
}

/** Beyond this number, the counters of the oldest ended connection are evicted. */
const keptConnections = 10_000
/** The connections of one seed do not share draws with those of the next one. */
const maxConnections = 0x10_0000

function split(random: () => number): () => number {
  return seededRandom(Math.floor(random() * 0x1_0000_0000))
}

/** One client's connection and the one that the proxy opened for it. */
export class ChaosConnection {
  readonly index: number
  readonly behaviour: ConnectionBehaviour
  readonly toServer: Lane
  readonly toClient: Lane
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  #isClosed = false

  constructor(sockets: { readonly client: Socket; readonly server: Socket }, options: ConnectionOptions) {
    const { client, server } = sockets
    const { behaviour, clock, random } = options
    this.#client = client
    this.#server = server
    this.index = options.index
    this.behaviour = behaviour
    const lane = (from: Socket, to: Socket, own: LaneBehaviour = {}): Lane =>
      // Each direction draws from its own generator, so that the order of reads makes no difference.
      new Lane({ from, to, behaviour: own, clock, random: split(random), cut: () => this.cut() })
    this.toServer = lane(client, server, behaviour.toServer)
    this.toClient = lane(server, client, behaviour.toClient)
    this.#propagate(client, this.toServer)
    this.#propagate(server, this.toClient)
    this.closed = this.#end()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Starts to pass bytes. */
  start(): void {
    for (const direction of directions) this[direction].start()
  }

  /** Sends RST to both ends; bytes that are still buffered here are lost. */
  cut(): void {
    for (const socket of [this.#client, this.#server]) reset(socket)
  }

  /** Swallows both ways: bytes are read and dropped, and neither end gets the other's end. */
  blackHole(): void {
    for (const direction of directions) this[direction].blackHole()
  }

  /** Passes one end's failure on to the other, unless the path between them is shut. */
  #propagate(socket: Socket, lane: Lane): void {
    // `close` always follows.
    socket.on("error", () => {})
    socket.on("close", (hadError) => {
      if (hadError && (lane.flow === "open" || lane.flow === "finished")) this.cut()
    })
  }

  async #end(): Promise<void> {
    const ends = [this.#client, this.#server].map(
      (socket) => new Promise((resolve) => socket.once("close", resolve)),
    )
    await Promise.all(ends)
    this.#isClosed = true
    for (const direction of directions) this[direction].dispose()
  }
}

interface ConnectionOptions {
  readonly index: number
  readonly behaviour: ConnectionBehaviour
  readonly clock: Clock
  readonly random: () => number
}

function reset(socket: Socket): void {
  // libuv refuses a reset while a FIN is on its way (EINVAL), and Node then neither closes the handle nor reports the
  // error.
  const finIsOnItsWay = socket.writableEnded && !socket.writableFinished
  if (socket.connecting || finIsOnItsWay) socket.destroy()
  else if (!socket.destroyed) socket.resetAndDestroy()
}

export class ChaosProxy {
  readonly #options: ChaosProxyOptions
  readonly #connections: ChaosConnection[] = []
  #listener: Server | undefined
  #address: Address = { host: "127.0.0.1", port: 0 }
  #count = 0

  constructor(options: ChaosProxyOptions) {
    this.#options = options
    this.#address = { ...this.#address, ...options.listen }
  }

  get host(): string {
    return this.#address.host
  }

  get port(): number {
    return this.#address.port
  }

  /** In the order of their arrival, ended ones included. */
  get connections(): readonly ChaosConnection[] {
    return this.#connections
  }

  /** Listens; after `refuse` again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return
    const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    listener.on("connection", (client) => this.#welcome(client))
    this.#listener = listener
    listener.listen(this.#address)
    await once(listener, "listening")
    const bound = listener.address()
    if (bound !== null && typeof bound === "object") this.#address = { host: this.host, port: bound.port }
  }

  /** Refuses new connections with ECONNREFUSED; existing ones continue. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  /** Sends RST to all connections. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** Refuses, resets every connection and returns when no socket and no timer is left. */
  async close(): Promise<void> {
    this.refuse()
    this.cut()
    await Promise.all(this.#connections.map(({ closed }) => closed))
  }

  #welcome(client: Socket): void {
    const { to, plan, seed = 0, clock = realClock, onConnection } = this.#options
    const server = connect({ ...to, allowHalfOpen: true, noDelay: true })
    const index = this.#count
    this.#count += 1
    const random = seededRandom(seed * maxConnections + index)
    const behaviour = plan?.(index, random) ?? {}
    const connection = new ChaosConnection({ client, server }, { index, behaviour, clock, random })
    this.#connections.push(connection)
    if (this.#connections.length > keptConnections) this.#forgetOldest()
    onConnection?.(connection)
    server.once("connect", () => connection.start())
  }

  #forgetOldest(): void {
    const oldest = this.#connections.findIndex(({ isClosed }) => isClosed)
    if (oldest !== -1) this.#connections.splice(oldest, 1)
  }
}

/** A proxy that listens. */
export async function startChaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const proxy = new ChaosProxy(options)
  await proxy.accept()
  return proxy
}

const realClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
