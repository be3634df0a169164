import { describe, expect, it } from "vitest"
import { judge } from "./judge.ts"
import type { ClientRecord, RequestKind, RequestRecord, Rule } from "./judge.ts"

function request(n: number, kind: RequestKind, change: Partial<RequestRecord> = {}): RequestRecord {
  return { n, kind, replies: [{ n, run: n / 10 }], error: undefined, ...change }
}

const said = ["1:0", "2:0", "1:1", "1:2", "2:1"]

function client(by: number, change: Partial<ClientRecord> = {}): ClientRecord {
  const requests =
    by === 1
      ? [request(0, "say"), request(1, "say"), request(2, "slow")]
      : [request(0, "publish"), request(1, "publish")]
  return {
    by,
    requests,
    notes: by === 1 ? [2, 0, 1] : [],
    said,
    news: [
      { life: 0, n: 0 },
      { life: 0, n: 1 },
      { life: 2, n: 0 },
    ],
    streams: [
      { upTo: 2, items: [0, 1], error: undefined },
      { upTo: 2, items: [0], error: "server_restarted" },
    ],
    resets: [],
    faults: [],
    ...change,
  }
}

function rulesOf(changed: Partial<ClientRecord>, history: readonly string[] = said.slice(1)): Rule[] {
  return judge([{ clients: [client(1, changed), client(2)], history }]).map(({ rule }) => rule)
}

describe("judge", () => {
  it("finds nothing in records of a server that was never killed", () => {
    expect(rulesOf({})).toEqual([])
  })

  it.each<[string, Partial<ClientRecord>, Rule[]]>([
    [
      "a request without a reply",
      { requests: [request(0, "say"), request(1, "say"), request(2, "slow", { replies: [] })] },
      ["lost"],
    ],
    [
      "a request that failed",
      { requests: [request(0, "say"), request(1, "say"), request(2, "slow", { error: "timeout" })] },
      ["lost"],
    ],
    [
      "the reply of another request",
      {
        requests: [request(0, "say"), request(1, "say"), request(2, "slow", { replies: [{ n: 1, run: 0 }] })],
      },
      ["other"],
    ],
    [
      "two outcomes for one key",
      {
        requests: [
          request(0, "say"),
          request(1, "say"),
          request(2, "keyed", {
            replies: [
              { n: 2, run: 0.1 },
              { n: 2, run: 0.2 },
            ],
          }),
        ],
      },
      ["repeated"],
    ],
    ["a missing note", { notes: [2, 1] }, ["lost"]],
    ["a note that arrived twice", { notes: [2, 0, 1, 2] }, ["repeated"]],
    ["notes in another order than their requests", { notes: [2, 1, 0] }, ["reordered"]],
    [
      "a gap within the news of one process",
      {
        news: [
          { life: 0, n: 0 },
          { life: 0, n: 2 },
        ],
      },
      ["lost"],
    ],
    [
      "news of a process that had no first one",
      {
        news: [
          { life: 0, n: 0 },
          { life: 1, n: 1 },
        ],
      },
      ["lost"],
    ],
    [
      "news that arrived twice",
      {
        news: [
          { life: 0, n: 0 },
          { life: 0, n: 0 },
        ],
      },
      ["repeated"],
    ],
    [
      "news of an earlier process",
      {
        news: [
          { life: 1, n: 0 },
          { life: 0, n: 0 },
        ],
      },
      ["reordered"],
    ],
    ["a gap in a stream", { streams: [{ upTo: 3, items: [0, 2], error: "server_restarted" }] }, ["lost"]],
    [
      "a stream that ended early without an error",
      { streams: [{ upTo: 3, items: [0], error: undefined }] },
      ["lost"],
    ],
    [
      "a stream that ended with another error",
      { streams: [{ upTo: 3, items: [0], error: "timeout" }] },
      ["other"],
    ],
    ["a reset", { resets: ["server_restarted"] }, ["reset"]],
    ["a fault of the client", { faults: ["gap"] }, ["other"]],
    ["an effect without a request", { notes: [2, 0, 1, 9] }, ["other"]],
  ])("finds %s", (_what, changed, rules) => {
    expect(rulesOf(changed)).toEqual(rules)
  })

  it("finds a publication that one member of the room did not see", () => {
    expect(rulesOf({ said: said.slice(0, -1) }, [])).toContain("lost")
  })

  it("finds a publication that one member saw twice", () => {
    expect(rulesOf({ said: [...said, "2:1"] }, ["2:1"])).toContain("repeated")
  })

  it("finds members of one room with two orders", () => {
    expect(rulesOf({ said: ["2:0", "1:0", "1:1", "1:2", "2:1"] }, ["2:1"])).toContain("reordered")
  })

  it("finds a history in another order than the members saw it", () => {
    expect(rulesOf({}, ["1:2", "1:1", "2:1"])).toEqual(["lost"])
  })

  it("finds a history that is empty", () => {
    expect(rulesOf({}, [])).toEqual(["lost"])
  })
})
