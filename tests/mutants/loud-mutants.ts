// Mistakes in what an application learns: errors, refusals, doubtful connections, stores and features.
import type { Edit, Mutant } from "./mutant.ts"

const refusals = "packages/server/src/base/refusals.ts"
const report = "packages/server/src/base/report.ts"
const admission = "packages/server/src/session/opening/admission.machine.ts"
const inbound = "packages/server/src/session/conversation/inbound.ts"
const kinds = "packages/server/src/topics/topic-kinds.ts"
const delivery = "packages/client/src/base/event-delivery.ts"
const holdBack = "packages/client/src/calls/hold-back.ts"
const requests = "packages/client/src/calls/requests.ts"
const doubt = "packages/client/src/session/doubt.ts"
const machine = "packages/client/src/session/reconnect.machine.ts"
const replicas = "packages/client/src/replicas/replicas.ts"
const records = "packages/client/src/replicas/replica-records.ts"
const stores = "packages/client/src/client-stores.ts"
const store = "packages/client/src/base/store.ts"
const feature = "packages/client/src/feature.ts"

const loud = {
  tests: ["tests/errors/loud-by-default.test.ts"],
  because: "it reads no console",
} as const
const throttled = {
  tests: ["tests/sessions/throttling.test.ts"],
  because: "it reads no text of an error",
} as const
const renewals = {
  tests: ["packages/client/src/session/reconnect.machine.test.ts"],
  because: "its token functions return fresh tokens",
} as const
const seen = { tests: ["tests/sessions/client-stores.test.ts"], because: "it reads no store" } as const
const doubts = { tests: ["tests/sessions/doubtful.test.ts"], because: "a doubt changes no message" } as const

/** A mistake in one place. */
const edit = (file: string, find: string, replace: string): readonly Edit[] => [{ file, find, replace }]

export const loudMutants: readonly Mutant[] = [
  {
    name: "The default of onError hides the stack of the cause",
    breaks: [],
    edits: edit(report, "error instanceof Error ? (error.cause ?? error) : error)", '"")'),
    killedBy: loud,
  },
  {
    name: "Each refused log-in is reported",
    breaks: [],
    edits: edit(refusals, "if (count > 0) this.#onRefused(", "if (count >= 0) this.#onRefused("),
    killedBy: loud,
  },
  {
    name: "Refused log-ins with another cause are counted with the first one",
    breaks: [],
    edits: edit(refusals, "${kindOf(cause)}`", "`"),
    killedBy: loud,
  },
  {
    name: "A client of another contract is accepted",
    breaks: ["W9"],
    edits: edit(
      admission,
      "frame.contract !== undefined && frame.contract !== contractName",
      "frame.contract === null",
    ),
    killedBy: {
      tests: ["tests/sessions/usage-errors.test.ts"],
      because: "it has one contract",
    },
  },
  {
    name: "An event that the contract lacks is not counted",
    breaks: ["W6"],
    edits: edit(
      delivery,
      "if (!optionalEvents.has(type)) counters.eventsUnknown += 1",
      "void optionalEvents",
    ),
    killedBy: {
      tests: ["tests/faults/fault-03-misspelt-names.test.ts"],
      because: "it has one contract",
    },
  },
  {
    name: "A kind of topics without rules is not named at listen",
    breaks: [],
    edits: edit(kinds, "    for (const kind of this.#specs.keys()) this.#warn(kind)\n", ""),
    killedBy: {
      tests: ["tests/topics/usage-errors.test.ts", "tests/topics/topics.test.ts"],
      because: "it reads no warning",
    },
  },
  {
    name: "A server sends no notice of a rate that delays a session",
    breaks: ["W26"],
    edits: edit(inbound, "    this.#notice(throttle, { nowMs, waitMs })\n", ""),
    killedBy: throttled,
  },
  {
    name: "A server sends a notice for each pause",
    breaks: ["W26"],
    edits: edit(inbound, "nowMs - noticedAtMs < throttleNoticeMs", "nowMs - noticedAtMs < 0"),
    killedBy: throttled,
  },
  {
    name: "A request names a limit that held only earlier requests",
    breaks: ["W26"],
    edits: edit(holdBack, "server !== undefined && server.untilMs > calledAtMs", "server !== undefined"),
    killedBy: throttled,
  },
  {
    name: "A request behind a full send buffer says nothing of it",
    breaks: [],
    edits: edit(requests, '      this.#holdBack.offered(outcome === "full", clock.now())\n', ""),
    killedBy: throttled,
  },
  {
    name: "A renewal that returned the current token is the last one",
    breaks: ["Y1"],
    edits: edit(machine, "renewal: isFinal ? undefined : again", "renewal: undefined"),
    killedBy: renewals,
  },
  {
    name: "A token that AUTH sent is refused by the end of the previous one",
    breaks: ["Y1"],
    edits: edit(
      machine,
      "isUnclear ? row.refusedTokens :",
      "isUnclear && row.failures < 0 ? row.refusedTokens :",
    ),
    killedBy: renewals,
  },
  {
    name: "An open connection is never doubtful",
    breaks: ["V9"],
    edits: edit(doubt, "    this.#options.onDoubt(this.#heardAtMs)\n", ""),
    killedBy: doubts,
  },
  {
    name: "A connection is doubtful before two round trips",
    breaks: ["V9"],
    edits: edit(doubt, "const roundTrips = 2\n", "const roundTrips = 1\n"),
    killedBy: doubts,
  },
  {
    name: "A message does not end a doubt",
    breaks: ["V9"],
    edits: edit(doubt, "    this.#options.onDoubt(undefined)\n", ""),
    killedBy: doubts,
  },
  {
    name: "The time of a stale copy is the time of the detection",
    breaks: ["F11"],
    edits: edit(
      replicas,
      "Math.round(wallClockMs() - (clock.now() - receivedAtMs))",
      "Math.round(wallClockMs())",
    ),
    killedBy: {
      tests: ["packages/client/src/replicas/replicas.test.ts"],
      because: "it reads no time of a copy",
    },
  },
  {
    name: "A record that was received again without a change gets another object",
    breaks: [],
    edits: edit(records, "        record.values = before\n", ""),
    killedBy: { tests: ["tests/replicas/stores.test.ts"], because: "it reads no store" },
  },
  {
    name: "A snapshot of a store is built at each reading",
    breaks: [],
    edits: edit(store, "(this.#snapshot ??= Object.freeze(this.#build()))", "Object.freeze(this.#build())"),
    killedBy: seen,
  },
  {
    name: "A snapshot of a store can be changed",
    breaks: [],
    edits: edit(
      store,
      "(this.#snapshot ??= Object.freeze(this.#build()))",
      "(this.#snapshot ??= this.#build())",
    ),
    killedBy: seen,
  },
  {
    name: "Waiting requests keep their state when the connection opens",
    breaks: ["O4"],
    edits: edit(stores, "    this.pending.changed()\n", ""),
    killedBy: seen,
  },
  {
    name: "A client without topics reports the frames of topics as unknown events",
    breaks: [],
    edits: edit(feature, "  onFrame: () => false,", "  onFrame: () => true,"),
    killedBy: { tests: ["tests/sessions/features.test.ts"], because: "its clients have every feature" },
  },
]
