import { describe, expect, it } from "vitest"
import { checkHistory, describeViolations } from "./history.ts"
import type { History, HistoryOptions, Rule, SessionEvent } from "./history.ts"

/** `open`, `sent 1`, `got 1`, `ack 1`, `resumed`, `reset CAUSE [1,2]`, `closed CAUSE []`, one session unless named `b: …`. */
function events(...lines: readonly string[]): SessionEvent[] {
  return lines.map((line) => {
    const [, session = "a", kind = "", word = "", list = ""] =
      /^(?:(\w+): )?(\w+) ?([\w-]*) ?(?:\[(.*)\])?$/.exec(line) ?? []
    const n = Number(word)
    const ending = { session, cause: word, unacknowledged: list === "" ? [] : list.split(",").map(Number) }
    switch (kind) {
      case "open":
        return { kind: "opened", session }
      case "sent":
        return { kind, session, n }
      case "got":
        return { kind: "received", session, n }
      case "ack":
        return { kind: "acknowledged", session, n }
      case "resumed":
        return { kind, session }
      case "reset":
      case "closed":
        return { kind, ...ending }
      default:
        throw new Error(`no event: ${line}`)
    }
  })
}

type Case = readonly [
  name: string,
  client: readonly string[],
  server: readonly string[],
  options?: HistoryOptions,
]

function historyOf([, client, server]: Case): History {
  return { client: events(...client), server: events(...server) }
}

const quiet = { isQuiet: true }
const records = { recordsAcknowledgements: true }

const good: readonly Case[] = [
  ["nothing at all", [], [], quiet],
  ["messages both ways", ["open", "sent 1", "got 7", "sent 2"], ["open", "sent 7", "got 1", "got 2"], quiet],
  [
    "numbers with gaps, since an application also counts volatile ones",
    ["open", "sent 3", "sent 9"],
    ["open", "got 3", "got 9"],
    quiet,
  ],
  ["a message that is still queued", ["open", "sent 1", "sent 2"], ["open", "got 1"]],
  ["a resumption", ["open", "sent 1", "resumed", "sent 2"], ["open", "got 1", "resumed", "got 2"], quiet],
  [
    "a reset that reports what is not known to be handled",
    ["open", "sent 1", "sent 2", "sent 3", "reset overflow [2,3]"],
    ["open", "got 1", "got 2", "sent 5", "reset overflow [5]"],
    quiet,
  ],
  ["a reset that only one end has reported so far", ["open", "sent 1", "reset expired [1]"], ["open"]],
  [
    "a new session after a reset, which starts with what came later",
    ["open", "sent 1", "reset expired [1]", "b: open", "b: sent 2"],
    ["open", "b: open", "b: got 2", "reset expired []"],
    quiet,
  ],
  ["an end on purpose", ["open", "sent 1", "closed bye []"], ["open", "got 1", "closed bye []"], quiet],
  [
    "every message acknowledged or reported",
    ["open", "sent 1", "ack 1", "sent 2", "reset overflow [2]"],
    ["open", "got 1", "got 2", "reset overflow []"],
    { ...quiet, ...records, allowedCauses: ["overflow"] },
  ],
  [
    "a cause that a run does not allow, of an end on purpose",
    ["open", "closed bye []"],
    ["open"],
    { allowedCauses: [] },
  ],
]

const violating: readonly { readonly rule: Rule; readonly case: Case; readonly said: string }[] = [
  {
    rule: "order",
    case: [
      "a message behind one that was sent later",
      ["open", "sent 1", "sent 2"],
      ["open", "got 2", "got 1"],
    ],
    said: "server: 1 was received after 2, which was sent later",
  },
  {
    rule: "loss",
    case: ["a gap", ["open", "sent 1", "sent 2", "sent 3"], ["open", "got 1", "got 3"]],
    said: "server: 2 was not received, though 3 was, sent later",
  },
  {
    rule: "loss",
    case: ["a gap on the way to the client", ["open", "got 8"], ["open", "sent 7", "sent 8"]],
    said: "client: 7 was not received, though 8 was, sent later",
  },
  {
    rule: "loss",
    case: [
      "a gap, even of a message that is reported",
      ["open", "sent 1", "sent 2", "reset overflow [1]"],
      ["open", "got 2"],
    ],
    said: "server: 1 was not received, though 2 was, sent later",
  },
  {
    rule: "duplicate",
    case: [
      "a message that comes twice after a resumption",
      ["open", "sent 1", "resumed"],
      ["open", "got 1", "resumed", "got 1"],
    ],
    said: "server: 1 was received again",
  },
  {
    rule: "invention",
    case: ["a message that was never sent", ["open"], ["open", "got 1"]],
    said: "server: 1 was received and never sent",
  },
  {
    rule: "invention",
    case: [
      "a message of the previous session",
      ["open", "sent 1", "reset expired [1]", "b: open"],
      ["open", "reset expired []", "b: open", "b: got 1"],
    ],
    said: "session b, server: 1 was received and never sent",
  },
  {
    rule: "vanished",
    case: [
      "a message in no list",
      ["open", "sent 1", "sent 2", "reset overflow [2]"],
      ["open", "reset overflow []"],
    ],
    said: "client: 1 was sent, not received, and not reported when the session ended",
  },
  {
    rule: "vanished",
    case: ["a message that stays queued for ever", ["open", "got 1"], ["open", "sent 1", "sent 2"], quiet],
    said: "server: 2 was sent, not received, and is still queued though the run became quiet",
  },
  {
    rule: "vanished",
    case: [
      "a message that arrived, neither acknowledged nor reported",
      ["open", "sent 1", "reset overflow []"],
      ["open", "got 1"],
      records,
    ],
    said: "client: 1 was sent, not acknowledged, and not reported when the session ended",
  },
  {
    rule: "acknowledgement",
    case: ["an acknowledgement ahead of the message", ["open", "sent 1", "ack 1"], ["open"]],
    said: "client: 1 was acknowledged and never received",
  },
  {
    rule: "acknowledgement",
    case: ["an acknowledgement of nothing", ["open", "ack 1"], ["open"]],
    said: "client: 1 was acknowledged and never sent",
  },
  {
    rule: "acknowledgement",
    case: ["two acknowledgements", ["open", "sent 1", "ack 1", "ack 1"], ["open", "got 1"]],
    said: "client: 1 was acknowledged again",
  },
  {
    rule: "acknowledgement",
    case: [
      "a report of what was acknowledged",
      ["open", "sent 1", "ack 1", "reset overflow [1]"],
      ["open", "got 1"],
    ],
    said: "client: 1 was acknowledged and then reported as unacknowledged",
  },
  {
    rule: "report",
    case: [
      "a report of another session's message",
      ["b: open", "b: sent 1", "open", "reset overflow [1]"],
      ["b: open", "b: got 1", "open"],
    ],
    said: "session a, client: 1 was reported and never sent in this session",
  },
  {
    rule: "report",
    case: ["a message twice in a list", ["open", "sent 1", "reset overflow [1,1]"], ["open"]],
    said: "client: 1 was reported again",
  },
  {
    rule: "report",
    case: ["a list in another order", ["open", "sent 1", "sent 2", "reset overflow [2,1]"], ["open"]],
    said: "client: 1 was reported out of order",
  },
  {
    rule: "ending",
    case: [
      "a reset that is reported twice",
      ["open", "reset overflow []", "reset expired []"],
      ["open", "reset overflow []"],
    ],
    said: "client: the session ended 2 times: overflow, expired",
  },
  {
    rule: "ending",
    case: ["a reset that only the client reports", ["open", "reset expired []"], ["open"], quiet],
    said: "server: the session did not end, though the client saw its end: expired",
  },
  {
    rule: "ending",
    case: ["a reset that only the server reports", ["open"], ["open", "reset expired []"], quiet],
    said: "client: the session did not end, though the server saw its end: expired",
  },
  {
    rule: "ending",
    case: ["a session that begins twice", ["open", "open"], ["open"]],
    said: "client: the session began 2 times",
  },
  {
    rule: "afterEnd",
    case: ["a message after the reset", ["open", "reset expired []", "got 1"], ["open", "sent 1"]],
    said: "client: received 1 while the session was not alive",
  },
  {
    rule: "afterEnd",
    case: ["a resumption after the end", ["open", "closed bye []", "resumed"], ["open"]],
    said: "client: resumed while the session was not alive",
  },
  {
    rule: "afterEnd",
    case: ["a message before the beginning", ["open", "got 1"], ["sent 1", "open"]],
    said: "server: sent 1 while the session was not alive",
  },
  {
    rule: "cause",
    case: [
      "a reset for a cause that this run does not allow",
      ["open", "reset diverged []"],
      ["open"],
      { allowedCauses: ["expired"] },
    ],
    said: "client: the session was reset for diverged, which is not allowed",
  },
]

describe("checkHistory", () => {
  it.each(good.map((one) => [one[0], one] as const))("accepts %s", (_, one) => {
    expect(describeViolations(checkHistory(historyOf(one), one[3]))).toBe("")
  })

  it.each(violating.map((one) => [one.rule, one.case[0], one] as const))(
    "reports %s: %s",
    (...[rule, , one]) => {
      const session = one.said.startsWith("session") ? "" : "session a, "
      const violations = checkHistory(historyOf(one.case), one.case[3])
      expect(describeViolations(violations)).toBe(`${rule}: ${session}${one.said}`)
    },
  )

  it("reports every violation of every session, each with its rule", () => {
    const client = events("open", "sent 1", "sent 2", "b: open", "b: got 5", "b: got 5")
    const server = events("open", "got 2", "b: open", "b: sent 5", "b: reset overflow [5]")
    const violations = checkHistory({ client, server }, quiet)
    expect(violations.map(({ rule, session, end }) => [rule, session, end])).toEqual([
      ["vanished", "a", "client"],
      ["loss", "a", "server"],
      ["duplicate", "b", "client"],
      ["ending", "b", "client"],
    ])
  })

  it("takes 100,000 messages in one session", () => {
    const numbers = Array.from({ length: 100_000 }, (_, index) => index)
    const client = [...events("open"), ...numbers.map((n) => ({ kind: "sent", session: "a", n }) as const)]
    const server = [
      ...events("open"),
      ...numbers.map((n) => ({ kind: "received", session: "a", n }) as const),
    ]
    expect(checkHistory({ client, server }, quiet)).toEqual([])
  })
})
