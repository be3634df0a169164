import { expect, test } from "vitest"
import { recoverySentence } from "./recovery-sentence.ts"

const recovery = {
  bytes: 1_234_567,
  tookMs: 39.6,
  isWhole: true,
  tornBytes: 0,
  sessions: 12,
  topics: 1,
  records: 900,
  setAside: 0,
  requestsSetAside: 0,
}

test("tells the number of sessions and topics, the size, and the time", () => {
  expect(recoverySentence(recovery)).toBe(
    "The journal continued 12 sessions, 1 topic, 900 records: 1.2 MB in 40 ms.",
  )
  expect(recoverySentence({ ...recovery, sessions: 1, topics: 0, records: 1, bytes: 940 })).toBe(
    "The journal continued 1 session, 0 topics, 1 record: 0.9 kB in 40 ms.",
  )
})

test("tells what is missing", () => {
  expect(recoverySentence({ ...recovery, isWhole: false, setAside: 1 })).toMatch(
    /in 40 ms\. It may lack its last records: .* 1 part of it could not be restored; the log has the causes\.$/,
  )
})

test("tells that a world without records begins from the database", () => {
  expect(recoverySentence({ ...recovery, sessions: 0, records: 0 })).toBe(
    "The journal is new: players begin where the database has them.",
  )
})
