// Mistakes in the server's session: its owner, its tokens, its current connection.
import type { Mutant } from "./mutant.ts"

const conversation = "packages/server/src/session/conversation/conversation.ts"
const sessionMachine = "packages/server/src/session/life/session.machine.ts"
const sessionStore = "packages/server/src/session/life/session-store.ts"
const welcome = "packages/server/src/session/opening/welcome.ts"
const resume = "packages/server/src/session/opening/resume.ts"
const resumeToken = "packages/server/src/session/opening/resume-token.ts"
const sessionFrames = "packages/server/src/session/conversation/session-frames.ts"
const claimsAreHonest = "its thieves cause at most an end of the session, which it accepts"

export const serverMutants: readonly Mutant[] = [
  {
    name: "Side effects of a delivery are reported in its middle",
    breaks: ["E7"],
    edits: [
      {
        file: "packages/server/src/session/conversation/fan-out.ts",
        find: "if (this.#depth > 0) this.#effects.push(effect)",
        replace: "if (this.#depth > 9) this.#effects.push(effect)",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/side-effect-order.test.ts"],
      because: "none of its hooks publishes",
    },
  },
  {
    name: "All sessions together may keep any number of bytes",
    breaks: ["B6"],
    edits: [
      {
        file: "packages/server/src/session/conversation/replay-memory.ts",
        find: "if (!this.isOver || this.#isEvictionDue) return",
        replace: "if (!this.#isEvictionDue) return",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/replay-memory.test.ts"],
      because: "no simulated session buffers a quarter of a gigabyte",
    },
  },
  {
    name: "The late close of the old connection ends the new one",
    breaks: ["S13", "A9"],
    edits: [
      {
        file: sessionMachine,
        find: "return isBound(state, input.link) ? lose(options, state, input)",
        replace: 'return state.kind === "attached" ? lose(options, state, input)',
      },
    ],
  },
  {
    name: "A connection whose session moved to another one stays open and is read",
    breaks: ["S6", "S13", "A9"],
    edits: [
      {
        file: sessionMachine,
        find: '    { kind: "close", link: old, code: "replaced" },\n',
        replace: "",
      },
    ],
  },
  {
    name: "A resume token is good for one use, though WELCOME may be lost",
    breaks: ["S10", "A5"],
    edits: [
      {
        file: resume,
        find: "const isPrevious = generation === session.tokenGeneration - 1 && !session.isTokenConfirmed",
        replace: "const isPrevious = generation < 0 && !session.isTokenConfirmed",
      },
    ],
  },
  {
    name: "A token expires when its successor is sent, not when that one has arrived",
    breaks: ["S10", "A5"],
    edits: [
      {
        file: sessionMachine,
        find: "generation: generation + 1, isConfirmed: false, lastDial: dial }",
        replace: "generation: generation + 1, isConfirmed: true, lastDial: dial }",
      },
    ],
  },
  {
    name: "The token before the last one never expires",
    breaks: ["S11", "A5"],
    edits: [
      {
        file: resume,
        find: "generation === session.tokenGeneration - 1 && !session.isTokenConfirmed",
        replace: "generation === session.tokenGeneration - 1",
      },
    ],
    killedBy: { tests: ["tests/sessions/resume-claims.test.ts"], because: claimsAreHonest },
  },
  {
    name: "A token is accepted with any signature",
    breaks: ["S11", "A4"],
    edits: [
      {
        file: resumeToken,
        find: 'if (!timingSafeEqual(bytes.subarray(headBytes), this.#mac(head, sessionId))) return { kind: "forged" }',
        replace: 'if (bytes.length < this.#mac(head, sessionId).length) return { kind: "forged" }',
      },
    ],
  },
  {
    name: "A token is accepted from any user",
    breaks: ["S11", "A4"],
    edits: [
      {
        file: resumeToken,
        find: "if (!timingSafeEqual(head.subarray(9), userHash(userId)))",
        replace: "if (head.subarray(9).length < userHash(userId).length)",
      },
    ],
  },
  {
    name: "A late HELLO of an abandoned socket takes the session",
    breaks: ["S10", "A8"],
    edits: [
      {
        file: resume,
        find: '  if (request.dial <= session.lastDial) return { kind: "refuse", code: "replaced" }\n',
        replace: "",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/resume-claims.test.ts"],
      because: "an overtaken HELLO is too rare in it: about one in a hundred seeds",
    },
  },
  {
    name: "A late first HELLO of an abandoned socket ends its successor's session",
    breaks: ["S16", "A8"],
    edits: [{ file: sessionStore, find: " && dial <= one.lastDial))", replace: " && dial < 0))" }],
    killedBy: {
      tests: ["tests/sessions/resume-claims.test.ts"],
      because: "it counts every `replaced` as a second login",
    },
  },
  {
    name: "WELCOME reports that nothing was received yet",
    breaks: ["S5", "W10"],
    edits: [
      {
        file: welcome,
        find: "    received,\n    handled,\n",
        replace: "    received: 0,\n    handled: 0,\n",
      },
    ],
  },
  {
    name: "WELCOME acknowledges messages that are received and not handled",
    breaks: ["S3", "N6"],
    edits: [
      {
        file: welcome,
        find: "    received,\n    handled,\n",
        replace: "    received,\n    handled: received,\n",
      },
    ],
    killedBy: {
      tests: ["tests/sessions/server-enforcement.test.ts"],
      because: "it checks ACK and PONG, not WELCOME",
    },
  },
  {
    name: "PONG acknowledges messages that are received and not handled",
    breaks: ["S3", "R11"],
    edits: [
      {
        file: conversation,
        find: '{ kind: "pong", number: pending, handled }',
        replace: '{ kind: "pong", number: pending, handled: this.delivery.received }',
      },
    ],
  },
  {
    name: "CANCEL is never settled",
    breaks: ["L1", "N4"],
    edits: [
      {
        file: sessionFrames,
        find: '"cancel") {\n    taker.pass(count)\n',
        replace: '"cancel") {\n',
      },
    ],
  },
]
