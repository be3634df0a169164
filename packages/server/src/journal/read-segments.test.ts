// The journal of a process that ended within a write, as the next processes read it.
import { beforeEach, describe, expect, it } from "vitest"
import { FileEngine } from "./file-engine.ts"
import { recordSpace } from "./journal-engine.ts"
import type { JournalContent } from "./journal-engine.ts"
import { SimulatedDisk } from "./simulated-files.ts"

let nowMs = 0
let disk: SimulatedDisk

beforeEach(() => {
  nowMs = 1_000_000
  disk = new SimulatedDisk(() => nowMs)
})

function live(): {
  readonly engine: FileEngine
  readonly open: () => Promise<JournalContent>
  readonly end: () => void
} {
  const files = disk.files()
  const engine = new FileEngine({
    mode: "kill",
    files,
    origin: { host: "h", boot: "b" },
    lock: () => Promise.resolve({ generation: 1, release: () => {} }),
    syncEveryMs: 100,
    after: () => () => {},
    now: () => nowMs,
    wallClockMs: () => nowMs,
  })
  return {
    engine,
    open: () => engine.open({ onAlarm: () => {}, restate: () => [] }),
    end: () => files.end(),
  }
}

/** A process that appends these texts, and ends within the write after them, after this number of its bytes. */
async function killed(texts: readonly string[], writtenBytes: number): Promise<JournalContent> {
  const { engine, open, end } = live()
  const content = await open()
  engine.beginRound()
  const append = (text: string): void => {
    engine.append(Buffer.concat([Buffer.alloc(recordSpace), Buffer.from(text)]))?.catch(() => {})
  }
  for (const text of texts) append(text)
  nowMs += 60_000
  disk.faults.endsAfter = () => {
    end()
    return writtenBytes
  }
  append("torn")
  disk.faults.endsAfter = () => undefined
  end()
  return content
}

const textsIn = ({ records }: JournalContent): string[] => records.map(({ body }) => body.toString())

describe("a journal", () => {
  it("is continued after a process that ended within the header of its segment", async () => {
    await killed(["one"], 3)
    await killed([], 9)
    await killed(["two"], 0)
    expect(textsIn(await live().open())).toEqual(["one", "two"])
  })

  it("is no copy because its last record was torn a minute after the one before", async () => {
    await killed(["one"], 22)
    expect(await killed(["two"], 0)).toMatchObject({ isWhole: true, tornBytes: 22 })
  })

  it("is no copy because a process has cut the torn record and ended before its first own one", async () => {
    await killed(["one"], 22)
    nowMs += 60_000
    const { open, end } = live()
    expect(await open()).toMatchObject({ isWhole: true })
    end()
    nowMs += 60_000
    expect(await live().open()).toMatchObject({ isWhole: true, tornBytes: 0 })
  })

  it("counts as a copy if too little of the torn record is left to know its time", async () => {
    await killed(["one"], 19)
    expect(await live().open()).toMatchObject({ isWhole: false })
  })
})
