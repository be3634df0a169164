// One conversation of the real client and the real server, as the client sends and receives it: a log-in, a request, a replica, a lost
// connection, a resume, a farewell. Simulated time and fixed secrets make it the same each time.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { defineContract, defineReplica, integer, text } from "@hawser/protocol"
import {
  ReplicaSchema,
  TypeTable,
  clientMessageLimits,
  contractTypes,
  createFrameCodec,
  extendDigest,
  hashMessage,
} from "@hawser/protocol/core"
import type { Dial } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import { z } from "zod"
import { described } from "./described.ts"
import type { Json } from "./described.ts"
import { ReplicaCopy } from "./replica-copy.ts"
import { annotations } from "./annotations.ts"

const said = z.object({ text: z.string() })
const contract = defineContract({
  name: "talk",
  commands: { say: { input: said, output: z.object({ heard: z.number() }) } },
  events: { said: { payload: said } },
  replicas: {
    players: defineReplica({
      fields: { x: integer({ min: 0, max: 255 }), y: integer({ min: 0, max: 255 }), name: text() },
      area: { x: "x", y: "y", cellSize: 16, range: 0 },
    }),
  },
})

/** Epoch in place of the server's random one. REPLICA and HAVE are not counted, so no digest covers it. */
const fixedEpoch = "epoch-01"

const types = contractTypes(contract)
const codec = createFrameCodec(new TypeTable(types), clientMessageLimits)

type Sender = "client" | "server"

/** Records the messages of all connections of one client, and gives REPLICA and HAVE a fixed epoch. */
class Recorder {
  readonly steps: { [name: string]: Json }[] = []
  readonly dial: Dial
  readonly #copy = new ReplicaCopy(ReplicaSchema.of(contract.replicas.players.fields))
  /** Digests after each message of both directions, by their number. */
  readonly #digests: Readonly<Record<Sender, number[]>> = { client: [0], server: [0] }
  readonly #next: Record<Sender, number> = { client: 1, server: 1 }
  #epoch = ""
  #connection = 0

  constructor(dial: Dial) {
    this.dial = (url, protocols, events) => {
      this.#connection += 1
      const connection = dial(url, protocols, {
        ...events,
        message: (bytes) => {
          const shown = this.#withEpoch(bytes)
          this.#record("server", shown)
          events.message(shown)
        },
        closed: (code, reason) => {
          this.steps.push({ connection: this.#connection, closed: code })
          events.closed(code, reason)
        },
      })
      return {
        get bufferedBytes() {
          return connection.bufferedBytes
        },
        send: (message) => {
          const shown = this.#withEpoch(message.bytes)
          this.#record("client", shown)
          return connection.send({ ...message, bytes: this.#withEpoch(message.bytes, this.#epoch) })
        },
        close: (code, reason) => {
          this.steps.push({ connection: this.#connection, closes: code })
          connection.close(code, reason)
        },
        terminate: () => connection.terminate(),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
      }
    }
  }

  #withEpoch(bytes: Uint8Array, epoch = fixedEpoch): Uint8Array {
    const frame = codec.decode(bytes, 0)
    if (frame.kind === "replica") {
      this.#epoch = frame.epoch ?? ""
      return codec.encode({ ...frame, epoch })
    }
    if (frame.kind !== "have") return bytes
    return codec.encode({ ...frame, held: frame.held.map((hold) => ({ ...hold, epoch })) })
  }

  #record(from: Sender, bytes: Uint8Array): void {
    const frame = codec.decode(bytes, 0)
    if (frame.kind === "bad" || frame.kind === "unknownControl") throw new Error("a bad frame was sent")
    if (frame.kind === "hello" && frame.resume !== undefined) this.#next.server = frame.resume.handled + 1
    if (frame.kind === "welcome") this.#next.client = frame.received + 1
    const message = { connection: this.#connection, from, hex: Buffer.from(bytes).toString("hex") }
    if (frame.kind === "replicaParts") {
      const json = this.#copy.apply(bytes)
      this.steps.push({ ...message, json, cells: this.#copy.cells })
    } else this.steps.push({ ...message, json: described(frame), ...this.#counted(from, bytes) })
  }

  /** Number and digest of a counted message. A retransmitted one has its number again. */
  #counted(from: Sender, bytes: Uint8Array): { readonly [name: string]: Json } {
    if (codec.classify(bytes) !== "reliable") return {}
    const number = this.#next[from]
    this.#next[from] += 1
    const digest = extendDigest(this.#digests[from][number - 1] ?? 0, hashMessage(bytes))
    this.#digests[from][number] = digest
    return { counted: { number, digest } }
  }
}

interface Ends {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly server: Server<typeof contract, { readonly id: string }>
  readonly client: Client<typeof contract>
  readonly recorder: Recorder
}

function createEnds(): Ends {
  const clock = new SimulatedClock()
  const onError = (error: unknown): void => {
    throw error
  }
  const server = createServer(contract, {
    authenticate: () => ({ id: "ann" }),
    clock,
    wallClockMs: () => 1_700_000_000_000 + clock.now(),
    sessionId: () => "AAAAAAAAAAAAAAAAAAAAAA",
    resumeKey: new Uint8Array(32),
    onError,
  })
  const players = server.replica("players")
  players.set("ann", { x: 1, y: 2, name: "Ann" })
  players.set("bob", { x: 9, y: 9, name: "Bob" })
  server.onSession(({ session }) => {
    session.send("said", { text: "welcome" })
    players.view(session, { x: 0, y: 0 })
  })
  server.command("say", ({ input, session }) => {
    session.send("said", input)
    return { heard: 1 }
  })
  const network = createMemoryNetwork({ clock, latencyMs: 10, accept: server.accept })
  const recorder = new Recorder(network.dial)
  const client = createClient(contract, {
    url: "memory:",
    token: "token-of-ann",
    clock,
    random: seededRandom(1),
    dial: recorder.dial,
    autoConnect: false,
    onError,
  })
  client.on("said", () => {})
  return { clock, network, server, client, recorder }
}

async function converse({ clock, network, server, client }: Ends): Promise<void> {
  const players = server.replica("players")
  const connected = client.connect()
  await clock.advance(100)
  await connected
  const first = client.command("say", { text: "hi" })
  await clock.advance(300)
  await first
  players.patch("ann", { x: 3 })
  await clock.advance(300)
  players.patch("ann", { x: 5 })
  await clock.advance(1_000)
  // This request is lost with the connection: the cut comes before it arrives.
  const second = client.command("say", { text: "again" })
  network.links.at(-1)?.cut()
  await clock.advance(100)
  server.local.sessions()[0]?.send("said", { text: "missed" })
  players.patch("ann", { x: 7 })
  await clock.advance(2_000)
  await second
  client.close()
  await clock.advance(100)
  await server.close()
}

/** Returns the type table, and the steps with a sentence about each. */
export async function conversation(): Promise<{ readonly [name: string]: Json }> {
  const ends = createEnds()
  await converse(ends)
  return { types, steps: annotated(ends.recorder.steps) }
}

/** @throws Error if the steps are not those of `annotations.ts`, which has a sentence for each. */
function annotated(steps: readonly { readonly [name: string]: Json }[]): Json {
  if (steps.length !== annotations.length)
    throw new Error(`the conversation has ${steps.length} steps, annotations.ts has ${annotations.length}`)
  return steps.map((step, index) => {
    const [name, what] = annotations[index] ?? ["", ""]
    if (name !== nameOf(step))
      throw new Error(`step ${index} is ${nameOf(step)}, not ${name}: change annotations.ts with it`)
    return { what, ...step }
  })
}

/** Returns the sender and the frame, or the close of the connection. */
function nameOf({ from, json, closed }: { readonly [name: string]: Json }): string {
  if (typeof from !== "string") return closed === undefined ? "client closes" : "closed"
  const frame = z.object({ frame: z.string() }).parse(json)
  return `${from} ${frame.frame}`
}
