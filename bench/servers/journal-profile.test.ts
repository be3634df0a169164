import { expect, it } from "vitest"
import { journalShareOf } from "./journal-profile.ts"

function node(id: number, name: string, how: { url?: string; hits?: number; children?: number[] }) {
  const { url = "", hits: hitCount = 0, children = [] } = how
  return {
    id,
    hitCount,
    children,
    callFrame: { functionName: name, url, scriptId: "", lineNumber: 0, columnNumber: 0 },
  }
}

it("counts a function of the journal with everything below it, as a share of the busy samples", () => {
  const journal = "file:///a/packages/server/dist/journal/journal.js"
  const nodes = [
    node(1, "(root)", { children: [2, 3, 6] }),
    node(2, "(idle)", { hits: 900 }),
    node(3, "turn", { url: "file:///a/packages/server/dist/transport/turn.js", hits: 60, children: [4] }),
    node(4, "pass", { url: journal, hits: 10, children: [5] }),
    node(5, "writeSync", { url: "node:fs", hits: 20 }),
    node(6, "other", { url: "file:///a/other/journal/x.js", hits: 10 }),
  ]
  expect(journalShareOf({ nodes })).toBeCloseTo(0.3)
})
