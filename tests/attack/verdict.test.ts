import { describe, expect, it } from "vitest"
import type { PlayerFigures } from "./messages.ts"
import { faultsOf, lineOf } from "./verdict.ts"
import type { Outcome } from "./verdict.ts"

const mib = 1024 * 1024

const figures: PlayerFigures = {
  open: 40,
  commands: { count: 1_000, p50Ms: 1, p99Ms: 4 },
  reconnects: 0,
  resets: [],
  errors: [],
  newcomers: [{ registerMs: 80, enterMs: 90 }],
  refused: [],
}
const standing = { connections: 40, sessions: 40, timers: 90, passwordHashes: 0, requests: 1, sockets: 42 }
const readings = Array.from({ length: 61 }, (_, second) => ({
  atMs: 30_000 + second * 1_000,
  cpuMs: 100 * second,
}))

const good: Outcome = {
  seconds: 60,
  sockets: 500,
  players: 40,
  calm: figures,
  attack: { ...figures, commands: { count: 3_000, p50Ms: 2, p99Ms: 12 } },
  after: figures,
  attackers: {
    kinds: [{ name: "silent", opened: 9, outcomes: { "408": 9 }, heldMs: 5_200, heldMaxMs: 8_000 }],
    socketsMost: 480,
    cpuMs: 15_000,
    errors: [],
  },
  calmReadings: readings,
  attackReadings: readings,
  before: standing,
  standing,
  backAfterMs: 300,
  memory: { firstBytes: 100 * mib, lastBytes: 126 * mib },
  logBytes: 4_096,
}

/** Outcomes with one broken part each, and words of its fault; those after `timed` are not judged on a busy machine. */
const broken: readonly (readonly [string, Partial<Outcome>])[] = [
  ["1 connections of players were lost during", { attack: { ...good.attack, reconnects: 1 } }],
  ["session ended after the attack: taken", { after: { ...figures, resets: ["taken"] } }],
  ["an error of a player before the attack: E", { calm: { ...figures, errors: ["E"] } }],
  ["a newcomer did not get in during the attack: 429", { attack: { ...good.attack, refused: ["429"] } }],
  ["1 of 40 players are not connected after", { after: { ...figures, open: 39 } }],
  ["timers: 90 before the attack, 91 after it", { standing: { ...standing, timers: 91 } }],
  ["2097152 bytes of log a minute", { logBytes: 2 * mib }],
  [
    "no socket attacked: silent",
    { attackers: { ...good.attackers, kinds: good.attackers.kinds.map((kind) => ({ ...kind, opened: 0 })) } },
  ],
  ["an error of the attackers: E", { attackers: { ...good.attackers, errors: ["E"] } }],
]
const timed: typeof broken = [
  [
    "the p99 is 3.1 times that of the calm phase",
    { attack: { ...good.attack, commands: { count: 9, p50Ms: 1, p99Ms: 12.4 } } },
  ],
  [
    "a newcomer's log-in took 1001 ms",
    { after: { ...figures, newcomers: [{ registerMs: 1, enterMs: 1_001 }] } },
  ],
  ["no newcomer came", { attack: { ...good.attack, newcomers: [] }, after: { ...figures, newcomers: [] } }],
  [
    "a socket was kept for 8001 ms of 8000: silent",
    {
      attackers: {
        ...good.attackers,
        kinds: good.attackers.kinds.map((kind) => ({ ...kind, heldMs: 8_001 })),
      },
    },
  ],
  ["memory grew from 100 to 127 MiB", { memory: { firstBytes: 100 * mib, lastBytes: 127 * mib } }],
]

describe("door-2 the verdict of an attack", () => {
  it("is good when every part of the promise holds", () => {
    expect(faultsOf(good, true)).toEqual([])
    expect(lineOf(good, [])).toMatch(/p99 4 to 12 ms \(3\.0 of 3 times\).*: good$/)
  })

  it.each(broken)("tells: %s", (text, part) => {
    for (const isTimed of [true, false]) {
      const faults = faultsOf({ ...good, ...part }, isTimed)
      expect(faults).toEqual([expect.stringContaining(text)])
      expect(lineOf({ ...good, ...part }, faults)).toMatch(/1 faults: BAD$/)
    }
  })

  it.each(timed)("reports, unless the machine may be busy: %s", (text, part) => {
    expect(faultsOf({ ...good, ...part }, true)).toEqual([expect.stringContaining(text)])
    expect(faultsOf({ ...good, ...part }, false)).toEqual([])
  })
})
