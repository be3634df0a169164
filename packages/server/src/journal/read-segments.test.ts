// The journal of a process that ended within a write, as the next processes read it.
import { beforeEach, describe, expect, it } from "vitest"
import { FileEngine } from "./file-engine.ts"
import { recordSpace } from "./journal-engine.ts"
import type { JournalContent } from "./journal-engine.ts"
import { SimulatedDisk } from "./simulated-files.ts"

let nowMs = 0
let disk: SimulatedDisk
let timers: (() => void)[]
const alarms: string[] = []

beforeEach(() => {
  nowMs = 1_000_000
  timers = []
  alarms.length = 0
  disk = new SimulatedDisk(() => nowMs)
})

interface Life {
  readonly engine: FileEngine
  readonly open: () => Promise<JournalContent>
  readonly end: () => void
}

function live(boot = "b", mode: "kill" | "power" = "kill"): Life {
  const files = disk.files()
  const engine = new FileEngine({
    mode,
    files,
    origin: { host: "h", boot },
    lock: () => Promise.resolve({ generation: 1, release: () => {} }),
    syncEveryMs: 100,
    after(_, run) {
      timers.push(run)
      return () => (timers = timers.filter((other) => other !== run))
    },
    now: () => nowMs,
    wallClockMs: () => nowMs,
  })
  const onAlarm = ({ message }: Error): void => void alarms.push(message)
  return {
    engine,
    open: () => engine.open({ onAlarm, restate: () => record("all") }),
    end: () => files.end(),
  }
}

function record(text: string): Buffer {
  return Buffer.concat([Buffer.alloc(recordSpace), Buffer.from(text)])
}

/** Appends without waiting. */
function append(engine: FileEngine, text: string): void {
  engine.append(record(text))?.catch(() => {})
}

/** Lets promises settle and due timers run. */
async function pass(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
  for (const run of timers.splice(0)) run()
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}

/** A process that appends these texts, and ends within the write after them, after this number of its bytes. */
async function killed(texts: readonly string[], writtenBytes: number): Promise<JournalContent> {
  const { engine, open, end } = live()
  const content = await open()
  engine.beginRound()
  for (const text of texts) append(engine, text)
  nowMs += 60_000
  disk.faults.endsAfter = () => {
    end()
    return writtenBytes
  }
  append(engine, "torn")
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

/** Draws of `losePower` that keep the names and lose every byte that was not synced. */
function onlyBytes(): (least: number, most: number) => number {
  let draws = 0
  return (least, most) => (draws++ === 0 ? most : least)
}

describe("a loss of power", () => {
  it("takes the segments behind missing records along, and the journal tells that it may not be whole", async () => {
    await killed(["one"], 0)
    const { engine, open, end } = live()
    await open()
    append(engine, "two")
    engine.beginRound()
    append(engine, "three")
    end()
    // The first segment was synced, the second lost its bytes, the third one reached the disk by itself.
    const [first = "", second = ""] = disk.files().list()
    disk.cut(second, disk.files().read(second).length - record("two").length)
    await expect(live().open()).rejects.toThrow("00000003.journal begins with record 3")
    const content = await live("after").open()
    expect(textsIn(content)).toEqual(["one"])
    expect(content).toMatchObject({ isWhole: false })
    expect(disk.files().list().slice(0, 2)).toEqual([first, second])
  })

  it("takes no record that an earlier process wrote and a later one has built on", async () => {
    await killed(["one"], 0)
    const { engine, open, end } = live("b", "power")
    await open()
    engine.beginRound()
    const appended = engine.append(record("two"))
    await pass()
    await appended
    end()
    disk.losePower(onlyBytes())
    expect(textsIn(await live("after").open())).toEqual(["one", "two"])
  })

  it("leaves what a renewed journal holds, with or without the segments before it", async () => {
    const { engine, open, end } = live()
    await open()
    append(engine, "one")
    disk.faults.failsSync = true
    await pass()
    disk.faults.failsSync = false
    await pass()
    expect(alarms).toEqual(["the journal could not be moved to the disk; it begins anew"])
    end()
    // The first segment comes back without its bytes.
    disk.losePower((least) => least)
    expect(disk.files().list().length).toBe(2)
    expect(textsIn(await live("after").open())).toEqual(["all"])
  })
})

describe("a renewal of the journal", () => {
  it("holds a record that waits for it, which is not appended again", async () => {
    const { engine, open } = live()
    await open()
    append(engine, "one")
    disk.faults.failsSync = true
    // The timer's sync fails, and the renewal pauses.
    await pass()
    const appended = engine.append(record("two"))
    disk.faults.failsSync = false
    await pass()
    await appended
    expect(engine.append(record("three"))).toBeUndefined()
    expect(textsIn(await live().open())).toEqual(["all", "three"])
  })

  it("holds a record that a full disk has held back, which is not appended again", async () => {
    const { engine, open } = live()
    await open()
    append(engine, "one")
    disk.faults.freeBytes = 0
    const appended = engine.append(record("two"))
    disk.faults.failsSync = true
    await pass()
    Object.assign(disk.faults, { failsSync: false, freeBytes: Number.POSITIVE_INFINITY })
    for (let turn = 0; turn < 4; turn += 1) await pass()
    await appended
    expect(textsIn(await live().open())).toEqual(["all"])
  })
})

describe("the end of a process", () => {
  it("is not marked if the disk does not take it, and the process ends all the same", async () => {
    const { engine, open } = live()
    await open()
    append(engine, "one")
    disk.faults.failsSync = true
    await engine.close(true)
    expect(alarms).toEqual(["the journal could not be moved to the disk; its end is not marked"])
    expect(await live("after").open()).toMatchObject({ isWhole: false })
  })
})
