// A short attack of every kind. It judges no times, because the machine may be busy with other tests.
import { expect, it } from "vitest"
import { runAttack } from "./run.ts"
import { faultsOf, kindLines, lineOf } from "./verdict.ts"

it.skipIf(process.platform !== "linux")(
  "door-2 an attack of every kind does not affect playing clients and leaves no resources behind",
  { timeout: 90_000 },
  async () => {
    const outcome = await runAttack({
      seconds: 5,
      sockets: 100,
      players: 10,
      seed: 1,
      warmUpMs: 500,
      calmMs: 500,
      newcomerEveryMs: 1_500,
      newcomerMaxMs: 30_000,
      backMaxMs: 30_000,
      log: () => {},
    })
    const faults = faultsOf(outcome, false)
    expect(faults, [...kindLines(outcome), lineOf(outcome, faults)].join("\n")).toEqual([])
  },
)
