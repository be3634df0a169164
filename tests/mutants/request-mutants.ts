// Mistakes in how the server receives messages and serves requests.
import type { Mutant } from "./mutant.ts"

const inbound = "packages/server/src/session/conversation/inbound.ts"
const requestQueue = "packages/server/src/calls/request-queue.ts"
const answers = "packages/server/src/session/conversation/answers.ts"
const replyStreams = "packages/server/src/calls/reply-streams.ts"

const noStreams = "it has no streams"

export const requestMutants: readonly Mutant[] = [
  {
    name: "A held message counts when its turn comes, not when it has arrived",
    breaks: ["S2", "N2"],
    edits: [
      {
        file: inbound,
        find: 'const count = kind === "reliable" ? delivery.receive(bytes) : 0',
        replace: 'const count = kind === "reliable" && !this.#mustHold() ? delivery.receive(bytes) : 0',
      },
      {
        file: inbound,
        find: "      this.#process(next.bytes, next.count)\n",
        replace: `      const isLate = next.count === 0 && this.#owner.codec.classify(next.bytes) === "reliable"
      this.#process(next.bytes, isLate ? this.#owner.delivery.receive(next.bytes) : next.count)
`,
      },
    ],
  },
  {
    name: "Held messages are processed last in, first out",
    breaks: ["S2", "M3"],
    edits: [{ file: inbound, find: "this.#held?.shift()", replace: "this.#held?.pop()" }],
  },
  {
    name: "The server does not resume reading after a pause",
    breaks: ["L1", "M3"],
    edits: [{ file: inbound, find: "    this.#connection?.resume()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "the sweep closes the paused connection, and the next one is read",
    },
  },
  {
    name: "Acknowledgements wait behind requests for which the queue is full",
    breaks: ["L1", "M3"],
    edits: [{ file: inbound, find: '    if (kind === "control") return true\n', replace: "" }],
  },
  {
    name: "A request starts though there may be no room for its reply",
    breaks: ["S15", "M3"],
    edits: [
      {
        file: answers,
        find: "  get mayStart(): boolean {\n    return this.#owner.hasRoom(0)\n",
        replace: "  get mayStart(): boolean {\n    return !this.#ended\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "it accepts every overflow of a full buffer",
    },
  },
  {
    name: "Requests start last in, first out",
    breaks: ["S2", "R3"],
    edits: [
      {
        file: requestQueue,
        find: "this.#inLane === undefined ? this.#ordered?.[0] : undefined",
        replace: "this.#inLane === undefined ? this.#ordered?.at(-1) : undefined",
      },
    ],
  },
  {
    name: "All commands of a session run at once",
    breaks: ["R3"],
    edits: [
      {
        file: requestQueue,
        find: "this.#inLane === undefined ? this.#ordered?.[0] : undefined",
        replace: "this.#ordered?.[0]",
      },
    ],
  },
  {
    name: "A query does not wait for the commands before it",
    breaks: ["R3"],
    edits: [
      {
        file: requestQueue,
        find: 'lane === "free" || count < oldest.count',
        replace: "lane.length + count > 0",
      },
    ],
  },
  {
    name: "A command waits for the running queries",
    breaks: ["R3"],
    edits: [
      {
        file: requestQueue,
        find: "this.#inLane === undefined ? this.#ordered?.[0] : undefined",
        replace: "this.size === this.#waitingCount ? this.#ordered?.[0] : undefined",
      },
    ],
    killedBy: {
      tests: ["packages/server/src/calls/request-queue.test.ts"],
      because: "it checks the order, not the time of a start",
    },
  },
  {
    name: "All queries of a session run at once",
    breaks: ["S15", "R3"],
    edits: [
      {
        file: requestQueue,
        find: "this.#runningBeside.length >= this.#host.limits.queriesAtOnce",
        replace: "this.#runningBeside.length >= Number.POSITIVE_INFINITY",
      },
    ],
    killedBy: {
      tests: ["packages/server/src/calls/request-queue.test.ts"],
      because: "they still start in order, and it does not count running ones",
    },
  },
  {
    name: "CANCEL aborts the running request, whichever it names",
    breaks: ["S14", "R6"],
    edits: [
      {
        file: requestQueue,
        find: "if (this.#inLane !== undefined && isNamed(this.#inLane)) return this.#inLane",
        replace: "if (this.#inLane !== undefined) return this.#inLane",
      },
    ],
    killedBy: {
      tests: ["packages/server/src/calls/request-queue.test.ts"],
      because: "it does not know which requests were cancelled",
    },
  },
  {
    name: "The late result of an aborted handler is sent as well",
    breaks: ["S14", "R5"],
    edits: [{ file: requestQueue, find: "    if (job.settled) return\n", replace: "" }],
  },
  {
    name: "A request that is cancelled before it starts is never settled",
    breaks: ["S14", "L1", "R6"],
    edits: [
      {
        file: requestQueue,
        find: '    this.#settle(job, failure(new HawserError("cancelled")))\n',
        replace: "",
      },
    ],
  },
  {
    name: "A request runs although its caller had abandoned it before it arrived",
    breaks: ["R22"],
    edits: [
      {
        file: answers,
        find: "if (this.#voids?.numbers.delete(count) !== true) {",
        replace: "if (this.#voids?.numbers.delete(count) !== true || count > 0) {",
      },
    ],
  },
  {
    name: "After a second VOID the requests of the first one run, though they are still held",
    breaks: ["R22"],
    edits: [
      {
        file: answers,
        find: "new Set([...(this.#voids?.numbers ?? [])].filter((reference) => reference > handled))",
        replace: "new Set<number>()",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/late-requests.test.ts"],
      because: "a request is seldom held through two resumes, and never when the hunt looks",
    },
  },
  {
    name: "A request starts while the rest of its read is not parsed yet",
    breaks: ["R3", "R6"],
    edits: [
      { file: requestQueue, find: "if (count === 0) this.#pump()", replace: "if (count >= 0) this.#pump()" },
    ],
    killedBy: {
      tests: ["tests/sessions/late-requests.test.ts"],
      because: "its network delivers simultaneous messages one after the other",
    },
  },
  {
    name: "A request starts though its wait exceeded its caller's timeout",
    breaks: ["R4"],
    edits: [
      {
        file: requestQueue,
        find: "budgetMs > 0 && this.#waitedMs(job) >= budgetMs",
        replace: "budgetMs > 0 && this.#waitedMs(job) < 0",
      },
    ],
    killedBy: {
      tests: ["packages/server/src/calls/request-queue.test.ts"],
      because: "it does not record how long a request has waited at the server",
    },
  },
  {
    name: "A request with a key is executed as often as it arrives",
    breaks: ["S2", "I1"],
    edits: [
      {
        file: "packages/server/src/calls/call-router.ts",
        find: "if (key === undefined || this.isStream(type))",
        replace: 'if (key === undefined || key !== "" || this.isStream(type))',
      },
    ],
  },
  {
    name: "A repetition does not wait for the running request",
    breaks: ["S2", "I2"],
    edits: [
      {
        file: "packages/server/src/calls/idempotency.ts",
        find: "if (running !== undefined) {",
        replace: "if (running !== undefined && running.untilMs < 0) {",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/requests.test.ts"],
      because:
        "it repeats answered requests; running ones, only when the session ends and the client soon returns",
    },
  },
  {
    name: "A stream sends more items than its reader's credit",
    breaks: ["R15"],
    edits: [{ file: replyStreams, find: "    stream.credit -= 1\n", replace: "" }],
    killedBy: { tests: ["tests/sessions/streams.test.ts"], because: noStreams },
  },
  {
    name: "A stream that was cancelled ends a second time",
    breaks: ["R14"],
    edits: [
      {
        file: replyStreams,
        find: "    if (stream.ended) return\n    stream.ended = true\n",
        replace: "    stream.ended = true\n",
      },
    ],
    killedBy: { tests: ["packages/server/src/calls/reply-streams.test.ts"], because: noStreams },
  },
]
