// Mistakes by which ended state affects its successor: a deadline that is not cancelled, a count or a mark that is not
// reset, a late result that is not ignored.
import type { Mutant } from "./mutant.ts"

const inbound = "packages/server/src/session/conversation/inbound.ts"
const tokenRenewal = "packages/server/src/session/life/token-renewal.ts"
const sessionMachine = "packages/server/src/session/life/session.machine.ts"
const openSession = "packages/server/src/session/opening/open-session.ts"
const liveness = "packages/server/src/session/life/liveness.ts"
const drain = "packages/server/src/session/life/drain.ts"
const presence = "packages/server/src/topics/presence.ts"
const sessionViews = "packages/server/src/replicas/session-views.ts"
const topicMemberships = "packages/server/src/topics/topic-memberships.ts"
const replayMemory = "packages/server/src/session/conversation/replay-memory.ts"
const login = "packages/server/src/session/opening/login.ts"
const socketPoll = "packages/client/src/session/socket-poll.ts"
const tokens = "packages/client/src/session/tokens.ts"
const links = "packages/client/src/session/links.ts"
const sessionBinding = "packages/client/src/session/session-binding.ts"
const topicMembership = "packages/client/src/topics/topic-membership.ts"

const lateVerdicts = "tests/sessions/late-authentication.test.ts"
const staleState = "tests/sessions/stale-state.test.ts"
const rejoinTimers = "tests/topics/rejoin-timers.test.ts"
const noTopics = "it has no topics for clients"
const soonVerdicts = "its tokens are verified at once"

const validation = {
  tests: ["tests/values/validation.test.ts"],
  because: "its schemas change no value",
}

export const staleMutants: readonly Mutant[] = [
  {
    name: "Pauses of a user with an empty queue in between count as one flood",
    breaks: ["M4"],
    edits: [
      {
        file: inbound,
        find: "        if (!this.#isPaused) throttle.sinceMs = undefined\n",
        replace: "        if (!this.#isPaused) throttle.readAgainAtMs = undefined\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/throttling.test.ts"],
      because: "each of its users sometimes has a message without a debt of the bucket",
    },
  },
  {
    name: "In 2.0 pauses of a user count as one flood, however far apart they are",
    breaks: ["M4"],
    edits: [
      {
        file: inbound,
        find: "    if (this.#isAfterPause(throttle)) throttle.sinceMs = undefined\n",
        replace: "",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/throttling.test.ts"],
      because: "each of its users sometimes has a message without a debt of the bucket",
    },
  },
  {
    name: "A request's time runs from the arrival of the last message held before it",
    breaks: ["R4", "M3"],
    edits: [{ file: inbound, find: "    this.#heldSinceMs = undefined\n", replace: "" }],
    killedBy: {
      tests: [staleState],
      because: "a request without a handler's reply ends as `timeout`, which it allows",
    },
  },
  {
    name: "The verdict on a token of a lost connection counts for its successor",
    breaks: ["Y2", "Y5", "S13"],
    edits: [
      {
        file: tokenRenewal,
        find: '    this.#aborter?.abort(new HawserError("connection_lost"))\n    this.#aborter = undefined\n',
        replace: '    this.#aborter?.abort(new HawserError("connection_lost"))\n',
      },
    ],
    killedBy: { tests: [lateVerdicts], because: soonVerdicts },
  },
  {
    name: "A good token counts after another one replaced it",
    breaks: ["Y2"],
    edits: [
      {
        file: tokenRenewal,
        find: "context))\n      if (this.#aborter !== aborter) return\n",
        replace: "context))\n",
      },
    ],
    killedBy: { tests: [lateVerdicts], because: soonVerdicts },
  },
  {
    name: "The refusal of a token counts after another one replaced it",
    breaks: ["Y2"],
    edits: [
      {
        file: tokenRenewal,
        find: "catch (error) {\n      if (this.#aborter !== aborter) return\n",
        replace: "catch (error) {\n",
      },
    ],
    killedBy: { tests: [lateVerdicts], because: soonVerdicts },
  },
  {
    name: "The timer of a token that was replaced continues",
    breaks: ["Y2", "Y4"],
    edits: [
      {
        file: tokenRenewal,
        find: "    this.#cancel?.()\n    const leftMs",
        replace: "    const leftMs",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/token-refresh.test.ts"],
      because: "a connection that is closed too early is only resumed once more",
    },
  },
  {
    name: "The close of a dropped connection as a left page shortens a window though its session is attached",
    breaks: ["A16", "S13"],
    edits: [
      {
        file: sessionMachine,
        find: 'if (state.kind !== "dropped" || state.link !== link) return [state, []]',
        replace: 'if (state.kind === "detached") return [state, []]',
      },
    ],
    killedBy: {
      tests: [staleState],
      because: "no page of it is left while the server drops its connection",
    },
  },
  {
    name: "A window that is shortened keeps its end",
    breaks: ["A16"],
    edits: [
      {
        file: sessionMachine,
        find: "untilMs: Math.min(untilMs, nowMs + windowMs)",
        replace: "untilMs",
      },
    ],
    killedBy: {
      tests: ["packages/server/src/session/life/session.machine.test.ts"],
      because: "no page of it is left while the server drops its connection",
    },
  },
  {
    name: "A client that got a PING in one stall gets none in the next one",
    breaks: ["V2"],
    edits: [
      {
        file: liveness,
        find: "known?.sinceMs === sinceMs ? known : {",
        replace: "known !== undefined ? known : {",
      },
    ],
    killedBy: { tests: [staleState], because: "a dropped client resumes, and loses nothing" },
  },
  {
    name: "A drain whose time is over closes the successor of a connection that is still closing",
    breaks: ["Z4", "S13"],
    edits: [
      {
        file: drain,
        find: '"this connection is being drained", connection)',
        replace: '"this connection is being drained")',
      },
    ],
    killedBy: { tests: [staleState], because: "a client whose connection is closed by a drain only resumes" },
  },
  {
    name: "A drain counts closed connections as overdue",
    breaks: ["Z4"],
    edits: [
      {
        file: drain,
        find: "    if (!here.has(connection)) continue\n",
        replace: "    if (here.size < 0) continue\n",
      },
    ],
    killedBy: { tests: [staleState], because: "it does not check this count" },
  },
  {
    name: "A move requested on one connection happens on its successor",
    breaks: ["Z2", "V5"],
    edits: [
      {
        file: sessionBinding,
        find: "    this.link = undefined\n    this.#cancelMove()\n",
        replace: "    this.link = undefined\n",
      },
    ],
    killedBy: {
      tests: [staleState],
      because: "a client may move at any time, and loses nothing by it",
    },
  },
  {
    name: "A second GOAWAY adds a move to that of the first one",
    breaks: ["Z2"],
    edits: [
      {
        file: sessionBinding,
        find: "    this.#cancelMove()\n    this.#cancelMove =",
        replace: "    this.#cancelMove =",
      },
    ],
    killedBy: {
      tests: [staleState],
      because: "a client may move at any time, and loses nothing by it",
    },
  },
  {
    name: "Members that left still use bytes of the member list",
    breaks: ["Q6"],
    edits: [{ file: presence, find: "    this.#listedBytes -= this.#bytesOf(member)\n", replace: "" }],
    killedBy: { tests: ["tests/topics/presence.test.ts"], because: noTopics },
  },
  {
    name: "Cells of another epoch count as held",
    breaks: ["F10"],
    edits: [{ file: sessionViews, find: "store.epoch !== epoch || ", replace: "" }],
    killedBy: { tests: ["tests/replicas/epochs.test.ts"], because: "it has no replicas" },
  },
  {
    name: "A hook's refusal of a membership that was left ends the next one",
    breaks: ["J3"],
    edits: [
      {
        file: topicMemberships,
        find: "      if (this.#isCurrent(membership))\n        this.#remove",
        replace: "      if (membership.id >= 0)\n        this.#remove",
      },
    ],
    killedBy: { tests: ["tests/topics/late-replies.test.ts"], because: noTopics },
  },
  {
    name: "The timeout of an abandoned join ends the next one",
    breaks: ["J11"],
    edits: [
      {
        file: topicMembership,
        find: "if (this.#wanted === wanted) this.#onFailed(wanted, error)",
        replace: "this.#onFailed(wanted, error)",
      },
    ],
    killedBy: { tests: [rejoinTimers], because: noTopics },
  },
  {
    name: "The time of a join that waits for a leave continues after the leave",
    breaks: ["J11"],
    edits: [
      { file: topicMembership, find: "        stop()\n        begin()\n", replace: "        begin()\n" },
    ],
    killedBy: { tests: [rejoinTimers], because: noTopics },
  },
  {
    name: "A topic that was joined again waits after its next refusal as if it had not been",
    breaks: ["J10"],
    edits: [{ file: topicMembership, find: "    wanted.failures = 0\n", replace: "" }],
    killedBy: { tests: [rejoinTimers], because: noTopics },
  },
  {
    name: "A scheduled rejoin runs although another session has joined the topic",
    breaks: ["J10"],
    edits: [
      {
        file: topicMembership,
        find: "    this.#cancelRetry()\n    this.#attempt?.abort()\n",
        replace: "    this.#attempt?.abort()\n",
      },
    ],
    killedBy: { tests: [rejoinTimers], because: noTopics },
  },
  {
    name: "The bound of all sessions is kept once, and never again",
    breaks: ["B6"],
    edits: [{ file: replayMemory, find: "    this.#isEvictionDue = false\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/replay-memory.test.ts"],
      because: "no simulated session keeps a quarter of a gigabyte",
    },
  },
  {
    name: "A good token of a closed connection opens a session",
    breaks: ["M1"],
    edits: [
      {
        file: login,
        find: 'if (!owner.isClosing) this.#step({ kind: "verified", nowMs: this.#host.clock.now() })',
        replace: 'this.#step({ kind: "verified", nowMs: this.#host.clock.now() })',
      },
      {
        file: openSession,
        find: '  if (connection.isClosing) throw new HawserError("connection_lost")\n  if (opening.kind',
        replace: "  if (opening.kind",
      },
    ],
    pair: "the login stops at a connection that is gone, and so does the opening of the session",
    killedBy: { tests: [lateVerdicts], because: soonVerdicts },
  },
  {
    name: "A bad token of a closed connection counts as refused",
    breaks: ["M1"],
    edits: [
      {
        file: login,
        find: 'if (!this.#owner.isClosing) this.#step({ kind: "rejected", error: known })',
        replace: 'this.#step({ kind: "rejected", error: known })',
      },
    ],
    killedBy: { tests: [lateVerdicts], because: soonVerdicts },
  },
  {
    name: "A socket that was full when its connection was lost is the last one that is polled for room",
    breaks: ["B2"],
    edits: [
      {
        file: socketPoll,
        find: "    this.#cancel?.()\n    this.#cancel = undefined\n",
        replace: "    this.#cancel?.()\n",
      },
    ],
    killedBy: {
      tests: [staleState],
      because: "an acknowledgement arrives soon, and shows that there is room",
    },
  },
  {
    name: "The token function is reported in its first outage only",
    breaks: ["C18"],
    edits: [{ file: tokens, find: "      this.#hasFailed = false\n", replace: "" }],
    killedBy: { tests: [staleState], because: "its token functions do not fail" },
  },
  {
    name: "A dial that throws is reported in its first outage only",
    breaks: ["C18"],
    edits: [{ file: links, find: "      this.#hasThrown = false\n", replace: "" }],
    killedBy: { tests: [staleState], because: "its dials do not throw" },
  },
  {
    name: "A result leaves the server without validation",
    breaks: ["M10"],
    edits: [
      {
        file: "packages/server/src/calls/call-router.ts",
        find: "sent = outgoing(spec.output, output, spec.trustOutput)",
        replace: "sent = output",
      },
    ],
    killedBy: validation,
  },
  {
    name: "A publication of a client reaches the others as it arrived",
    breaks: ["J4"],
    edits: [
      {
        file: "packages/server/src/topics/topic-requests.ts",
        find: "publishing.payload = this.#validPayload(input)",
        replace: "publishing.payload = this.#validPayload(input) === undefined ? undefined : input.payload",
      },
    ],
    killedBy: validation,
  },
  {
    name: "An absent value may be anywhere in a frame",
    breaks: ["W24"],
    edits: [
      {
        file: "packages/protocol/src/wire/unpack.ts",
        find: "this.#absentCount === 1 && isAbsent(value, payloadAt)",
        replace: "payloadAt !== undefined",
      },
    ],
    killedBy: {
      tests: ["packages/protocol/src/wire/frame-codec.test.ts"],
      because: "both of its ends put absent payloads in their place",
    },
  },
]
