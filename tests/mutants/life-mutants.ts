// Mistakes in the life of the server's session: its window, its liveness, its token, its end.
import type { Mutant } from "./mutant.ts"

const serverSession = "packages/server/src/session/life/server-session.ts"
const openConnection = "packages/server/src/session/opening/open-session.ts"
const conversation = "packages/server/src/session/conversation/conversation.ts"
const sessionMachine = "packages/server/src/session/life/session.machine.ts"
const liveness = "packages/server/src/session/life/liveness.ts"
const lifeTest = "packages/server/src/session/life/session.machine.test.ts"

export const lifeMutants: readonly Mutant[] = [
  {
    name: "A detached session never expires",
    breaks: ["L5", "A1"],
    edits: [
      {
        file: serverSession,
        find: 'timers.at(atMs, () => this.#step({ kind: "wake", nowMs: clock.now() }, {}))',
        replace: "() => {}",
      },
    ],
  },
  {
    name: "The resume window continues after a resume",
    breaks: ["S10", "A9"],
    edits: [
      {
        file: serverSession,
        find: "    this.#cancelWake?.()\n    const atMs",
        replace: "    const atMs",
      },
      {
        file: sessionMachine,
        find: "(wakeAtLife(state) ?? Number.POSITIVE_INFINITY)",
        replace: "(wakeAtLife(state) ?? 0)",
      },
    ],
    pair: "a timer that is cancelled does not wake, and a wake outside of a window has no effect",
  },
  {
    name: "A reply is dropped while its session is detached",
    breaks: ["S4", "S14", "R2"],
    edits: [
      {
        file: conversation,
        find: "    if (this.session.active) this.#reliable(outbound(bytes))\n",
        replace: "    if (this.session.active && this.session.attached) this.#reliable(outbound(bytes))\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/outage.test.ts"],
      because: "a request without a reply ends as `timeout`, which it allows",
    },
  },
  {
    name: "The loss of a connection aborts the requests of its session",
    breaks: ["S2", "R7"],
    edits: [
      {
        file: serverSession,
        find: "    counters.sessionsDetached += 1\n",
        replace:
          '    counters.sessionsDetached += 1\n    this.#conversation.answers.end(new HawserError("connection_lost"))\n',
      },
    ],
  },
  {
    name: "A session ends as often as it is ended",
    breaks: ["S16", "X1"],
    edits: [
      {
        file: serverSession,
        find: 'if (this.active) this.#step({ kind: "end", cause }, options)',
        replace: 'this.#step({ kind: "end", cause }, options)',
      },
      {
        file: sessionMachine,
        find: 'if (state.kind === "ended" || state.kind === "moved") return [state, []]',
        replace: 'if (state.kind === "moved") return [state, []]',
      },
    ],
    pair: "the runner does not end a session that has ended, and the machine ignores it",
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "it ends no session twice",
    },
  },
  {
    name: "A message that does not fit into a session's send buffer is dropped",
    breaks: ["S1", "S4", "B3"],
    edits: [
      {
        file: conversation,
        find: '    const cause = outcome === "dead" ? "connection_lost" : dialect.overflow\n',
        replace:
          '    const cause = outcome === "dead" ? "connection_lost" : dialect.overflow\n    if (dialect.counts) return "buffered"\n',
      },
    ],
  },
  {
    name: "Connections may take a session from one another for ever",
    breaks: ["S16", "A9"],
    edits: [
      {
        file: sessionMachine,
        find: "if (takeoversAtMs.length > takeoversMax)",
        replace: "if (takeoversAtMs.length < 0)",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/resume-claims.test.ts"],
      because: "it checks when a session may thrash, and not when it must",
    },
  },
  {
    name: "Takeovers never leave the sliding window",
    breaks: ["S16", "A9"],
    edits: [{ file: sessionMachine, find: "nowMs - atMs < takeoverWindowMs", replace: "nowMs >= atMs" }],
    killedBy: { tests: [lifeTest], because: "it allows a session to thrash whenever it was taken over" },
  },
  {
    name: "A claim that its client never confirmed renews a short window",
    breaks: ["A16"],
    edits: [
      {
        file: sessionMachine,
        find: "claims.isConfirmed ? windowMs : Math.min(windowMs, claims.windowMs)",
        replace: "windowMs",
      },
    ],
    killedBy: { tests: [lifeTest], because: "no page of it is left for good" },
  },
  {
    name: "Each restart of the server renews the window of a detached session",
    breaks: ["A17"],
    edits: [
      {
        file: sessionMachine,
        find: "spentMs: claims.spentMs + (nowMs - state.sinceMs)",
        replace: "spentMs: claims.spentMs",
      },
    ],
    killedBy: { tests: [lifeTest], because: "no server of it is restarted" },
  },
  {
    name: "A user whose detached session was ended for good resumes",
    breaks: ["S16", "X5"],
    edits: [
      {
        file: openConnection,
        find: '      if (claim.kind === "ended" && claim.isFinal) throw errorWithCode(cause)\n',
        replace: "",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/session-end.test.ts"],
      because: "its users log in again after a while in any case",
    },
  },
  {
    name: "A connection that answers nothing is kept",
    breaks: ["L2", "T3"],
    edits: [{ file: liveness, find: "    connection.connection.terminate()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "the client nearly always reconnects first, and its new connection ends the old one",
    },
  },
  {
    name: "A client that answers pings and settles nothing is kept attached",
    breaks: ["S15", "V2"],
    edits: [
      {
        file: liveness,
        find: "if (stalledMs < limits.ackProgressMs || isUnanswered(connection)) return false",
        replace: "if (stalledMs >= 0 || isUnanswered(connection)) return false",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "it only counts the drops of such a client",
    },
  },
  {
    name: "A silent connection counts as a slow consumer",
    breaks: ["V2"],
    edits: [
      {
        file: liveness,
        find: "stall.excusedMs += isUnanswered(connection) ? everyMs + lateMs : Math.max(lateMs, heldMs)",
        replace: "stall.excusedMs += Math.max(lateMs, heldMs)",
      },
      {
        file: liveness,
        find: "if (stalledMs < limits.ackProgressMs || isUnanswered(connection)) return false",
        replace: "if (stalledMs < limits.ackProgressMs) return false",
      },
    ],
    pair: "either alone excludes a silent connection from the count",
    killedBy: {
      tests: ["tests/sessions/liveness.test.ts"],
      because: "in both cases the client resumes",
    },
  },
  {
    name: "A client that acknowledges nothing gets no PING before it is dropped",
    breaks: ["V2"],
    edits: [{ file: liveness, find: "      session.askForCounts()\n", replace: "" }],
    killedBy: {
      tests: ["tests/sessions/hidden-page.test.ts"],
      because: "a dropped client resumes, and loses nothing",
    },
  },
  {
    name: "A token on a live connection is accepted for another user",
    breaks: ["S11", "Y3"],
    edits: [
      {
        file: "packages/server/src/session/life/token-renewal.ts",
        find: "if (user.id !== this.#user.id)",
        replace: "if (user.id === undefined)",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/token-renewal.test.ts"],
      because: "its clients renew their own tokens only",
    },
  },
  {
    name: "The server sends no AUTHREQ, and an expired token stays valid",
    breaks: ["Y1", "Y4"],
    edits: [
      {
        file: "packages/server/src/session/life/token-renewal.ts",
        find: "    if (leftMs === null) return\n",
        replace: "    if (leftMs === null || leftMs >= 0) return\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/token-renewal.test.ts"],
      because: "an expired token breaks none of its invariants",
    },
  },
]
