// Creates a SimulatedNetwork without randomness: one latency, one process, no loss. A test can cut, stall or black-hole each
// dial. Must not know the meaning of the bytes.
import { assertOptions } from "../base/check-options.ts"
import type { OptionTable } from "../base/check-options.ts"
import type { Clock } from "../base/clock.ts"
import type { Accept, Dial } from "../transport.ts"
import { SimulatedNetwork } from "./simulated-network.ts"
import { SimulatedProcess } from "./simulated-process.ts"
import type { SimulatedEnd, SimulatedSocket } from "./simulated-socket.ts"

/** Both ends of one dial. */
export interface MemoryLink {
  readonly client: SimulatedEnd
  readonly server: SimulatedEnd
  /** Closes both ends with 1006, as by a TCP reset: the client at once, the server in the next turn. */
  readonly cut: () => void
  /** Drops all later bytes of both directions; neither end gets an event. */
  readonly blackHole: () => void
}

export interface MemoryNetwork {
  /** Dials the server. */
  readonly dial: Dial
  /** All dials in order. */
  readonly links: readonly MemoryLink[]
  /** False: dials fail, as on a port without a listener. Default true. */
  listening: boolean
}

export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** `server.accept`. */
  readonly accept: Accept
  /** Latency of one direction, in milliseconds. Default 0: delivered in a later turn. */
  readonly latencyMs?: number
  /** Address of the client at the server. Default "memory". */
  readonly address?: string
}

const networkOptions: OptionTable<MemoryNetworkOptions> = {
  clock: "object",
  accept: "function",
  latencyMs: "ms",
  address: "any",
}

/**
 * Creates an in-memory network between clients and one server. It has no bound but the test's memory.
 * @throws TypeError for an unknown option.
 */
export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  assertOptions("createMemoryNetwork", options, networkOptions)
  const { clock, accept, latencyMs = 0, address = "memory" } = options
  const process = new SimulatedProcess(clock)
  const links: MemoryLink[] = []
  const network = new SimulatedNetwork({
    clock,
    // Every draw is 0, so no share of the weather applies except `resetShare`.
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
