// A SimulatedNetwork for tests without chance: one latency, one process, no loss. Each dial is a link that a test can
// cut, stall or let vanish.
// Must not know what the bytes mean.
import type { Clock } from "../base/clock.ts"
import type { Accept, Dial } from "../transport.ts"
import { SimulatedNetwork } from "./simulated-network.ts"
import { SimulatedProcess } from "./simulated-process.ts"
import type { SimulatedEnd, SimulatedSocket } from "./simulated-socket.ts"

/** Both ends of one dial. */
export interface MemoryLink {
  readonly client: SimulatedEnd
  readonly server: SimulatedEnd
  /** Both ends lose the socket, as by a TCP reset: the client at once, the server in the next turn. */
  readonly cut: () => void
  /** All later bytes vanish, in either direction; neither end gets an event. */
  readonly blackHole: () => void
}

export interface MemoryNetwork {
  readonly dial: Dial
  /** All dials, in their order. */
  readonly links: readonly MemoryLink[]
  /** False: dials fail, as on a port without a listener. */
  listening: boolean
}

export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** `server.accept`. */
  readonly accept: Accept
  /** Latency of one direction, in milliseconds. Default 0: delivered in a later turn. */
  readonly latencyMs?: number
  /** The client's address, as the server sees it. Default "memory". */
  readonly address?: string
}

/** An in-memory network between clients and one server. Bounds: none but the memory of the test. */
export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const { clock, accept, latencyMs = 0, address = "memory" } = options
  const process = new SimulatedProcess(clock)
  const links: MemoryLink[] = []
  const network = new SimulatedNetwork({
    clock,
    // Every draw is 0: no share of the weather applies but that of resets.
    random: () => 0,
    weather: {
      latencyMs: { least: latencyMs, most: latencyMs },
      dialMs: { least: 0, most: 0 },
      resetShare: 1,
    },
    watch: { dialled: (socket) => links.push(linkOf(socket)) },
    traits: { keepsSent: true, clientsDrain: true },
  })
  network.serve(process, accept)
  let isListening = true
  return {
    dial: network.dialFrom(process, address),
    links,
    get listening() {
      return isListening
    },
    set listening(value) {
      isListening = value
      if (value) network.serve(process, accept)
      else network.stopServing()
    },
  }
}

function linkOf(socket: SimulatedSocket): MemoryLink {
  return {
    client: socket.client,
    server: socket.server,
    cut: () => {
      socket.lose({ clientInMs: undefined, serverInMs: 0 })
      socket.client.lose()
    },
    blackHole: () => socket.lose({ clientInMs: undefined, serverInMs: undefined }),
  }
}
