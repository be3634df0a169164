// The contract of the killed server and its clients, its arguments, and the reports of its process. Must not know sockets.
import { defineContract, defineTopic } from "@hawser/protocol"
import { z } from "zod"

const numbered = z.object({ n: z.int() })
/** `by`: number of the client. */
const signed = z.object({ by: z.int(), n: z.int() })
/** `run` is drawn by the handler: two executions give two values. */
const settled = z.object({ n: z.int(), run: z.number() })

export const killContract = defineContract({
  name: "kill",
  commands: {
    /** Sends a note and publishes in one synchronous stretch with its settlement. */
    say: { input: numbered, output: settled },
    /** Awaits before its effects, which share the last stretch with the settlement. */
    slow: { input: numbered, output: settled },
  },
  events: {
    /** Effect of a request on its own session. */
    note: { payload: numbered },
    /** Effect of a request on a room. */
    said: { payload: signed },
    /** An event without a request, numbered for each process and session. */
    news: { payload: z.object({ life: z.int(), n: z.int() }) },
  },
  streams: { count: { input: z.object({ upTo: z.int() }), item: numbered } },
  topics: { room: defineTopic({ events: ["said"] }) },
})

export type KillContract = typeof killContract

/** Retained publications of a room. */
export const historyCount = 200

const roomSize = 10

/** Returns the room of a client; clients with consecutive numbers share one. */
export function roomOf(client: number): `room:${string}` {
  return `room:${Math.floor(client / roomSize)}`
}

const serverSettings = z.object({
  folder: z.string(),
  port: z.int(),
  mode: z.enum(["kill", "power"]),
  /** Number of the process. */
  life: z.int(),
  /** File to which each start of a handler is appended, as a line. */
  runs: z.string(),
})

/** Argument of the server's process. */
export type ServerSettings = z.infer<typeof serverSettings>

/** Reads the argument of the server's process. */
export function settingsOf(argument = ""): ServerSettings {
  return serverSettings.parse(JSON.parse(argument))
}

/** Lines that the server's process prints, as JSON. */
export const serverReport = z.union([
  z.object({
    kind: z.literal("listening"),
    port: z.int(),
    sessions: z.int(),
    setAside: z.int(),
    isWhole: z.boolean(),
    tookMs: z.number(),
  }),
  z.object({ kind: z.literal("error"), text: z.string() }),
])

export type ServerReport = z.infer<typeof serverReport>
