// Samples of the control frames of an open session, and of REPLICA.
import type { Samples } from "./frame-sample.ts"

const goaway = { kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5_000 } as const

type ControlName =
  | ("ack" | "ping" | "pong" | "goaway" | "reset" | "sync" | "busy" | "throttled" | "bye")
  | ("have" | "void" | "replica")

/** Samples of the control frames of a session, and of REPLICA. */
export const controlSamples: Pick<Samples, ControlName> = {
  ack: [
    {
      name: "ack",
      what: "The sender has handled the first 300 messages of the receiver.",
      frame: { kind: "ack", handled: 300 },
    },
    {
      name: "ack with the count of state frames",
      what: "The client has also received 17 frames of the volatile class on this connection.",
      frame: { kind: "ack", handled: 300, stateFrames: 17 },
    },
  ],
  ping: [
    {
      name: "ping",
      what: "The PONG repeats the number 3.",
      frame: { kind: "ping", number: 3, handled: 300 },
    },
  ],
  pong: [{ name: "pong", what: "The answer to the PING 3.", frame: { kind: "pong", number: 3, handled: 0 } }],
  goaway: [
    {
      name: "goaway",
      what: "The connection ends at the latest 5 s after this frame. An older server sends no flags.",
      frame: goaway,
    },
    {
      name: "goaway of a shutdown",
      what: "Flag 2: the process ends.",
      frame: { ...goaway, intent: "shutdown" },
    },
    {
      name: "goaway of a shutdown with a time to come back",
      what: "The client dials 3.25 s after the end of the connection. The address before it has no value, so it is nil.",
      frame: { ...goaway, intent: "shutdown", backInMs: 3_250 },
    },
    {
      name: "goaway of a drain to another address",
      what: "Flag 1: another listener takes the client. The address is reserved.",
      frame: { ...goaway, reason: "moving", intent: "drain", address: "wss://b/ws" },
    },
  ],
  reset: [
    {
      name: "reset",
      what: "The session has ended with a code as text. The sender had received 5 messages.",
      frame: { kind: "reset", cause: "session_overflow", count: 5 },
    },
  ],
  sync: [
    {
      name: "sync",
      what: "The sender has sent 256 messages, with this digest.",
      frame: { kind: "sync", count: 256, digest: 0xfedcba98 },
    },
  ],
  busy: [
    {
      name: "busy",
      what: "The client waits for 250 ms at least before it dials again. This server does not send it.",
      frame: { kind: "busy", retryAfterMs: 250 },
    },
  ],
  throttled: [
    {
      name: "throttled",
      what: "The user exceeds the server's limit of this name, so the server reads its messages later, for 1 s or until the next notice.",
      frame: { kind: "throttled", limit: "userMessagesPerSecond", forMs: 1_000 },
    },
  ],
  bye: [
    {
      name: "bye",
      what: "The session has ended, and the client must stay away, because the code's `retry` is `never`.",
      frame: { kind: "bye", code: "replaced", message: "" },
    },
    {
      name: "bye with details",
      what: "The log-in is refused with an error of the application and its details.",
      frame: { kind: "bye", code: "banned", message: "m", details: { days: 3 } },
    },
  ],
  have: [
    {
      name: "have",
      what: "The client holds two cells of the replica with this name. The first is at x −1, y 2, with version 301.",
      frame: {
        kind: "have",
        held: [
          {
            replica: "players",
            cells: [
              { x: -1, y: 2, version: 301 },
              { x: 0, y: 0, version: 7 },
            ],
          },
        ],
      },
    },
    {
      name: "have of a topic's replica with its epoch",
      what: "The epoch and the topic are those of the last REPLICA.",
      frame: {
        kind: "have",
        held: [{ replica: "cursors", cells: [{ x: 0, y: 0, version: 7 }], epoch: "e1", topic: "board:7" }],
      },
    },
  ],
  void: [
    {
      name: "void",
      what: "The client is about to cancel its requests 7 and 300.",
      frame: { kind: "void", references: [7, 300] },
    },
  ],
  replica: [
    {
      name: "replica",
      what: "The replica `players` has the number 2 on this connection, and three fields in this order.",
      frame: {
        kind: "replica",
        replica: 2,
        name: "players",
        schema: [
          ["x", ["integer", 0, 15]],
          ["name", ["text"]],
          ["away", ["flag"]],
        ],
      },
    },
    {
      name: "replica with its epoch",
      what: "The same with the epoch of its versions. Fields are left out here.",
      frame: { kind: "replica", replica: 2, name: "players", schema: [], epoch: "e1" },
    },
    {
      name: "replica of a topic",
      what: "A replica named `cursors` of the topic `board:7`.",
      frame: { kind: "replica", replica: 2, name: "cursors", schema: [], epoch: "e1", topic: "board:7" },
    },
  ],
}
