// Mistakes in the client: in its counts, its retransmissions and its reports to the application.
import type { Mutant } from "./mutant.ts"

const numberedSession = "packages/client/src/session/numbered-session.ts"
const handshake = "packages/client/src/session/handshake.ts"
const clientFrames = "packages/client/src/session/client-frames.ts"
const runClient = "packages/client/src/session/run-client.ts"
const links = "packages/client/src/session/links.ts"
const machine = "packages/client/src/session/reconnect.machine.ts"
const machineState = "packages/client/src/session/reconnect-state.ts"
const row = "packages/client/src/session/reconnect-row.ts"
const budget = "packages/client/src/session/dial-budget.ts"
const machineTests = ["packages/client/src/session/reconnect.machine.test.ts"]
const requests = "packages/client/src/calls/requests.ts"

export const clientMutants: readonly Mutant[] = [
  {
    name: "The client does not list its abandoned requests at a resume",
    breaks: ["R22", "W19"],
    edits: [{ file: numberedSession, find: "    this.#sendVoid()\n", replace: "" }],
  },
  {
    name: "The client relies on its timers alone, which may be late, when it retransmits",
    breaks: ["O5", "R22"],
    edits: [{ file: handshake, find: "  requests.expire()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/late-requests.test.ts"],
      because: "a client with late timers has not rejected its requests when it resumes",
    },
  },
  {
    name: "The client retransmits messages that the server has received, and the server does not drop them",
    breaks: ["S2", "A12"],
    edits: [
      {
        file: numberedSession,
        find: "this.#delivery.attach(connection, { received, handled })",
        replace: "this.#delivery.attach(connection, { received: handled, handled })",
      },
    ],
  },
  {
    name: "Messages of a connection still count after HELLO was sent on the next one",
    breaks: ["S1", "S13", "V5"],
    edits: [
      {
        file: runClient,
        find: "bytes.length\n    if (link !== this.#binding.link) return\n",
        replace: "bytes.length\n",
      },
      {
        file: runClient,
        find: "closed the client.\n    if (link !== this.#binding.link) return\n",
        replace: "closed the client.\n",
      },
      {
        file: links,
        find: "if (link !== undefined && this.#links.has(dial)) onMessage(link, bytes)",
        replace: "if (link !== undefined) onMessage(link, bytes)",
      },
    ],
    pair: "an abandoned socket is removed by its number, and its link is not the session's any more",
  },
  {
    name: "The late close of an abandoned socket ends its successor",
    breaks: ["L1", "V5"],
    edits: [
      {
        file: links,
        find: "        if (link !== undefined && !this.#links.has(dial)) return\n",
        replace: "",
      },
      {
        file: machineState,
        find: '  if (!("dial" in input)) return false\n',
        replace: '  if (!("dial" in input) || input.dial >= 0) return false\n',
      },
    ],
    pair: "an abandoned socket has no callbacks any more, and the machine ignores numbers that are not alive",
  },
  {
    name: "While it moves, the client sends on the old connection until WELCOME",
    breaks: ["S6", "Z2"],
    edits: [
      {
        file: machine,
        find: 'isMove ? [{ kind: "abandon", dial: state.openDial }] : []',
        replace: "isMove ? [] : []",
      },
    ],
  },
  {
    name: "The client keeps its first resume token",
    breaks: ["S10", "A3"],
    edits: [
      {
        file: numberedSession,
        find: "    this.#connection = connection\n    this.#resumeToken = welcome.resumeToken\n    this.#delivery.attach(",
        replace: "    this.#connection = connection\n    this.#delivery.attach(",
      },
    ],
  },
  {
    name: "Requests that waited for a connection are not sent after the resume",
    breaks: ["L1", "A11"],
    edits: [
      {
        file: numberedSession,
        find: "    this.#sendVoid()\n    this.pump()\n    return true\n",
        replace: "    this.#sendVoid()\n    return true\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/resume.test.ts"],
      because: "its sockets report that they have room, which sends them as well",
    },
  },
  {
    name: "The client acknowledges only at a PING or beyond the bounds of count and bytes",
    breaks: ["L1", "N5"],
    edits: [
      {
        file: numberedSession,
        find: "this.#cancelAck = timers.after(limits.ackDelayMs, () => this.#delivery.flushAck())",
        replace: "this.#cancelAck = () => void timers",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/replay-memory.test.ts"],
      because: "the server sends PING before it misses an acknowledgement",
    },
  },
  {
    name: "The report of a session's end lacks the requests under way",
    breaks: ["S4", "A13"],
    edits: [
      {
        file: requests,
        find: '        lost.push(shownRequest(taken, "sent"))\n',
        replace: "",
      },
    ],
  },
  {
    name: "Requests with an unknown outcome are sent again",
    breaks: ["S2", "A13"],
    edits: [
      {
        file: requests,
        find: "const neverLeft = reference !== undefined && session.neverLeft(reference)\n",
        replace: "const neverLeft = session.counts.sent >= 0\n",
      },
    ],
  },
  {
    name: "Requests that never left are reported as unknown",
    breaks: ["S4", "A13"],
    edits: [
      {
        file: requests,
        find: "const neverLeft = reference !== undefined && session.neverLeft(reference)\n",
        replace: 'const neverLeft = reference !== undefined && session.id === ""\n',
      },
    ],
    killedBy: {
      tests: ["tests/sessions/outage.test.ts"],
      because: "it accepts reports with too many requests; it only notices missing ones",
    },
  },
  {
    name: "Requests that never left, or have a key, are dropped with their session",
    breaks: ["S4", "A13"],
    edits: [{ file: requests, find: "        again.push(taken)\n", replace: "" }],
  },
  {
    name: "Requests that waited are sent in reverse order",
    breaks: ["S2", "R3"],
    edits: [
      {
        file: requests,
        find: "for (const queued of [...this.#queue]) {",
        replace: "for (const queued of [...this.#queue].reverse()) {",
      },
    ],
  },
  {
    name: "The client's probe of a silent connection starts over for ever",
    breaks: ["L2", "V3"],
    edits: [
      {
        file: "packages/protocol/src/session/heartbeat.machine.ts",
        find: 'return [{ kind: "dead" }, [{ kind: "dead", silentMs: nowMs - state.heardAtMs }]]',
        replace: "return probe(state, nowMs, 1_000)",
      },
    ],
  },
  {
    name: "A probe whose timer is late counts as unanswered before the received bytes are read",
    breaks: ["V7"],
    edits: [
      {
        file: "packages/protocol/src/session/heartbeat.machine.ts",
        find: "if (lateMs <= onTimeMs) return dead(state, nowMs)",
        replace: "if (lateMs >= 0) return dead(state, nowMs)",
      },
    ],
    killedBy: {
      tests: ["packages/protocol/src/session/heartbeat.machine.test.ts"],
      because: "a connection that is closed too early is only resumed once more",
    },
  },
  {
    name: "A hidden page acknowledges when its timers run",
    breaks: ["N5", "V7"],
    edits: [{ file: runClient, find: "    this.timers.runDue()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/hidden-page.test.ts"],
      because: "the server requests the count in time, and a client that it drops resumes",
    },
  },
  {
    name: "A request without any received byte causes no doubt",
    breaks: ["V6"],
    edits: [{ file: numberedSession, find: "if (this.attached) this.#options.onAsked()", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/liveness.test.ts"],
      because: "the silence is noticed all the same, only later",
    },
  },
  {
    name: "A dial without an answer has no deadline",
    breaks: ["L1"],
    edits: [
      {
        file: machineState,
        find: '    case "gettingToken":\n    case "dialing":\n    case "authenticating":\n      return state.deadlineMs\n',
        replace:
          '    case "dialing":\n      return undefined\n    case "gettingToken":\n    case "authenticating":\n      return state.deadlineMs\n',
      },
    ],
  },
  {
    name: "The dial budget holds nothing back",
    breaks: ["C13"],
    edits: [
      {
        file: budget,
        find: "  if (freeAtMs <= nowMs) return 0\n",
        replace: "  if (freeAtMs < Infinity) return 0\n",
      },
    ],
  },
  {
    name: "A move to another connection is outside of the dial budget",
    breaks: ["C13"],
    edits: [
      {
        file: machine,
        find: "  const row = { ...spent(state.row, step), dial: state.row.dial + 1 }\n",
        replace: "  const row = { ...state.row, dial: state.row.dial + 1 }\n",
      },
    ],
    killedBy: { tests: machineTests, because: "its servers drain too seldom to empty a budget" },
  },
  {
    name: "A renewal of the token is outside of the dial budget",
    breaks: ["C13"],
    edits: [
      {
        file: machine,
        find: "  const row = { ...spent(state.row, step), renewal }\n",
        replace: "  const row = { ...state.row, renewal }\n",
      },
    ],
    killedBy: { tests: machineTests, because: "it counts dials, not calls of the token function" },
  },
  {
    name: "connect() refills the dial budget",
    breaks: ["C13"],
    edits: [
      {
        file: row,
        find: "return { ...firstRow, dial, renewal, budgetFullAtMs, wasOpen }",
        replace:
          "return { ...firstRow, dial, renewal, budgetFullAtMs: Math.min(budgetFullAtMs, 0), wasOpen }",
      },
    ],
    killedBy: { tests: machineTests, because: "no bound of it is that close" },
  },
  {
    name: "Each AUTHREQ calls the token function, also while it runs",
    breaks: ["Y1", "C13"],
    edits: [
      {
        file: machine,
        find: "isConnected(state) && state.renewal === undefined ? renew(",
        replace: "isConnected(state) ? renew(",
      },
    ],
    killedBy: { tests: machineTests, because: "its servers send AUTHREQ once" },
  },
  {
    name: "A resume leaves the count of attempts as it was",
    breaks: ["C7"],
    edits: [
      {
        file: machine,
        find: "    isProven: resumed,\n",
        replace: "    isProven: resumed && row.failures < 0,\n",
      },
    ],
    killedBy: { tests: machineTests, because: "it bounds no delay within an outage" },
  },
  {
    name: "Any open session starts the count of attempts over",
    breaks: ["C7"],
    edits: [
      {
        file: machine,
        find: "    isProven: resumed,\n",
        replace: "    isProven: resumed || row.failures >= 0,\n",
      },
    ],
    killedBy: { tests: machineTests, because: "its servers do not send all clients away" },
  },
  {
    name: "The time for a dial does not grow with failures",
    breaks: ["C14"],
    edits: [
      {
        file: machine,
        find: "Math.min(baseMs * 2 ** row.failedDials, mostMs)",
        replace: "Math.min(baseMs * 2 ** Math.min(row.failedDials, 0), mostMs)",
      },
    ],
    killedBy: { tests: machineTests, because: "its networks are faster than the least limit" },
  },
  {
    name: "Another token does not cancel the attempt with the previous one",
    breaks: ["C15"],
    edits: [
      {
        file: runClient,
        find: "if (token !== undefined && this.#tokens.replace(token)) this.#logInAnew()",
        replace:
          "if (token !== undefined && this.#tokens.replace(token) && this.#connectsSoon) this.#logInAnew()",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/identity.test.ts"],
      because: "its clients keep their token functions",
    },
  },
  {
    name: "An unreadable frame is ignored",
    breaks: ["S5", "W7"],
    edits: [
      {
        file: clientFrames,
        find: '  if (dialect.onBadFrame === "reset") binding.reset(error)\n',
        replace: '  if (dialect.onBadFrame !== "reset") binding.reset(error)\n',
      },
    ],
    killedBy: { tests: ["tests/sessions/client-rules.test.ts"], because: "its servers send no such frame" },
  },
  {
    name: "The client ignores the return time of a shutdown",
    breaks: ["Z7"],
    edits: [
      {
        file: clientFrames,
        find: "backInMs === undefined ? {} : { retryAfterMs: backInMs }",
        replace: "backInMs === undefined ? {} : {}",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/shutdown-return.test.ts"],
      because: "no simulated server ends for good",
    },
  },
  {
    name: "The client ignores GOAWAY",
    breaks: ["Z2"],
    edits: [
      {
        file: clientFrames,
        find: '      if (frame.intent !== "shutdown") binding.moveIn(frame.startInMs)\n',
        replace: "",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/event-order.test.ts"],
      because: "a client that does not move is closed after a while, and loses no message by it",
    },
  },
]
