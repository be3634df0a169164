// The transports of the suites: the library `ws` on Node, Bun's native server in a separate process, and memory. Each
// names its missing properties; a test that needs one is skipped with that reason.
import { createMemoryNetwork } from "@hawser/protocol/testing"
import { systemClock } from "@hawser/server"
import type { Listening } from "@hawser/server"
import { afterAll, beforeAll, describe } from "vitest"
import type { TestContext } from "vitest"
import { BunHost, findBun } from "./bun-transport.ts"
import { memorySockets, webSockets } from "./raw-socket.ts"
import type { Sockets } from "./raw-socket.ts"
import { createProgram } from "./server-program.ts"
import type { ServerControl, ServerProgram, ServerSpec } from "./server-program.ts"

export type Need =
  /** Access to bytes and upgrades below the messages. */
  | "tcp"
  /** The server's own bound on a message. */
  | "messageBound"
  /** Bounds on the number of a message's fragments, and of the chunks in which they arrive. */
  | "fragmentBound"
  /** The length of a fragment counts before its bytes arrive. */
  | "fragmentHeads"
  /** `limits.httpTimeoutMs` for the head of a request. */
  | "httpTimeout"
  /** The server is notified of a peer that connects and sends nothing. */
  | "silentPeers"
  /** The server waits for the peer's answer to the close frame. */
  | "closingHandshake"

export interface Transport {
  readonly name: string
  readonly lacks: Readonly<Partial<Record<Need, string>>>
  create(spec: ServerSpec): Promise<ServerControl>
  /** Functions by which peers reach a listening server. */
  sockets(server: ServerControl, listening: Listening): Sockets
}

type TransportName = "ws" | "bun" | "memory"

/** False on the second version of Node, where the run on Bun's server would be a repetition. */
const takesBun = process.env["HAWSER_TEST_BUN"] !== "off"
const bun = findBun()

/** Registers the suite once for each of these transports. */
export function describeOver(names: readonly TransportName[], suite: (transport: Transport) => void): void {
  for (const name of names) {
    if (name === "bun" && !takesBun) continue
    if (name === "bun" && bun === undefined) {
      describe.skip("over Bun, which is not installed here", () => suite(makeTransport[name]()))
      continue
    }
    describe(`over ${name}`, () => suite(makeTransport[name]()))
  }
}

/** Skips the rest of the test, with the transport's reason, if the transport lacks one of these. */
export function skipWithout(context: TestContext, { lacks }: Transport, ...needs: readonly Need[]): void {
  for (const need of needs) context.skip(lacks[need] !== undefined, lacks[need])
}

const makeTransport = { ws: wsTransport, bun: bunTransport, memory: memoryTransport }

function wsTransport(): Transport {
  return {
    name: "ws",
    lacks: {},
    create: async (spec) => createProgram(spec, (server, place) => server.listen(place)),
    sockets: (_server, { url }) => webSockets(url),
  }
}

function bunTransport(): Transport {
  let host: BunHost | undefined
  beforeAll(() => {
    host = new BunHost(bun ?? "")
  })
  afterAll(() => host?.stop())
  return {
    name: "bun",
    lacks: {
      fragmentBound: "Bun joins fragments and pieces in place: their bytes are bounded, their number is not",
      fragmentHeads: "Bun counts the bytes of fragments when they have arrived",
      httpTimeout: "Bun gives the head of a request 12 s, whatever the limit",
      silentPeers: "with Bun the kernel keeps a connection until its first byte arrives",
      closingHandshake: "Bun reports the end together with the close frame, and waits for the peer by itself",
    },
    create(spec) {
      if (host === undefined) throw new Error("Bun has not been started")
      return host.create(spec)
    },
    sockets: (_server, { url }) => webSockets(url),
  }
}

const belowMessages = "memory carries whole messages: there is no TCP, no HTTP and no frame below them"

function memoryTransport(): Transport {
  const programs = new WeakMap<ServerControl, ServerProgram>()
  return {
    name: "memory",
    lacks: {
      tcp: belowMessages,
      messageBound: "memory has no bound on a message; the WebSocket has it",
    },
    async create(spec) {
      const program = createProgram(spec, async () => ({ port: 0, url: "memory:" }))
      programs.set(program, program)
      return program
    },
    sockets(control) {
      const program = programs.get(control)
      if (program === undefined) throw new Error("a server of another transport")
      return memorySockets(createMemoryNetwork({ clock: systemClock, accept: program.server.accept }))
    },
  }
}
