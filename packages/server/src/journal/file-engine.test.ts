import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { FileEngine } from "./file-engine.ts"
import type { FileEngineOptions } from "./file-engine.ts"
import { lockFolder } from "./folder-lock.ts"
import { recordSpace } from "./journal-engine.ts"
import type { JournalContent, JournalEngineHost } from "./journal-engine.ts"
import { nodeFiles } from "./journal-files.ts"
import { JournalFormatError } from "./record-reader.ts"
import { SimulatedDisk } from "./simulated-files.ts"

let nowMs = 1_000_000
let disk: SimulatedDisk
let timers: { atMs: number; run: () => void }[]
const alarms: string[] = []

beforeEach(() => {
  nowMs = 1_000_000
  timers = []
  alarms.length = 0
  disk = new SimulatedDisk(() => nowMs)
})

/** Lets time pass: timers run, and promises settle. */
async function pass(ms: number): Promise<void> {
  const untilMs = nowMs + ms
  for (;;) {
    for (let i = 0; i < 20; i += 1) await Promise.resolve()
    const due = timers
      .filter(({ atMs }) => atMs <= untilMs)
      .toSorted((one, other) => one.atMs - other.atMs)[0]
    if (due === undefined) break
    timers = timers.filter((timer) => timer !== due)
    nowMs = Math.max(nowMs, due.atMs)
    due.run()
  }
  nowMs = untilMs
}

interface Life {
  readonly engine: FileEngine
  readonly end: () => void
}

function live(options: Partial<FileEngineOptions> = {}): Life {
  const files = disk.files()
  const engine = new FileEngine({
    mode: "kill",
    files,
    origin: { host: "h", boot: "b" },
    lock: () => Promise.resolve({ generation: 1, release: () => {} }),
    syncEveryMs: 100,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run }
      timers.push(timer)
      return () => (timers = timers.filter((other) => other !== timer))
    },
    now: () => nowMs,
    wallClockMs: () => nowMs,
    ...options,
  })
  return { engine, end: () => files.end() }
}

const host: JournalEngineHost = {
  onAlarm: ({ message }) => alarms.push(message),
  restate: () => record("all"),
}

function record(text: string): Buffer {
  return Buffer.concat([Buffer.alloc(recordSpace), Buffer.from(text)])
}

/** Appends without waiting. */
function append(engine: FileEngine, text: string): void {
  engine.append(record(text))?.catch((error: unknown) => alarms.push(String(error)))
}

function textsIn({ records }: JournalContent): string[] {
  return records.map(({ body }) => body.toString())
}

async function reopened(options: Partial<FileEngineOptions> = {}): Promise<JournalContent> {
  return live(options).engine.open(host)
}

/** A life that appends these records and is killed. */
async function killedAfter(texts: readonly string[]): Promise<void> {
  const { engine, end } = live()
  await engine.open(host)
  for (const text of texts) expect(engine.append(record(text))).toBeUndefined()
  end()
}

describe("a killed life", () => {
  it("leaves every record that was appended, and the next lives continue", async () => {
    await killedAfter(["one", "two"])
    await killedAfter(["three"])
    const content = await reopened()
    expect(textsIn(content)).toEqual(["one", "two", "three"])
    expect(content.isWhole).toBe(true)
  })

  it("trap-18 leaves no record that was not written whole", async () => {
    await killedAfter(["one", "two"])
    const [name = ""] = disk.files().list()
    const { length } = disk.files().read(name)
    disk.cut(name, length - 1)
    const content = await reopened()
    expect(textsIn(content)).toEqual(["one"])
    expect(content.tornBytes).toBe(record("two").length - 1)
    expect(textsIn(await reopened())).toEqual(["one"])
  })

  it("leaves nothing if it ended within the header of its segment", async () => {
    await killedAfter(["one"])
    const [name = ""] = disk.files().list()
    disk.cut(name, 10)
    expect(textsIn(await reopened())).toEqual([])
    await killedAfter(["two"])
    expect(textsIn(await reopened())).toEqual(["two"])
  })

  it("trap-18 is refused if a valid record follows a damaged one", async () => {
    await killedAfter(["one", "two"])
    const [name = ""] = disk.files().list()
    const bytes = disk.files().read(name)
    bytes[bytes.indexOf("one")] = 0
    disk.restore(new Map([[name, bytes]]), true)
    await expect(reopened()).rejects.toThrow(
      /00000001\.journal is damaged at byte \d+, and valid records follow/,
    )
  })

  it("is refused if the header of its segment is damaged", async () => {
    await killedAfter(["one"])
    const [name = ""] = disk.files().list()
    const bytes = disk.files().read(name)
    bytes[14] = (bytes[14] ?? 0) ^ 1
    disk.restore(new Map([[name, bytes]]), true)
    await expect(reopened()).rejects.toThrow("00000001.journal: its header is damaged")
  })

  it("is refused if a segment is missing between others", async () => {
    const { engine } = live()
    await engine.open(host)
    for (const text of ["one", "two", "three"]) {
      append(engine, text)
      engine.beginRound()
    }
    const files = disk.files()
    files.remove("00000002.journal")
    await expect(reopened()).rejects.toThrow(
      "00000003.journal begins with record 3, but 00000001.journal ends before record 2",
    )
  })
})

describe("a damaged journal", () => {
  it("is refused in words, or read without a gap: a record is missing only behind the last one that is left", async () => {
    const damage = fc.record({
      file: fc.nat(),
      at: fc.nat(),
      change: fc.integer({ min: 1, max: 255 }),
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (faults) => {
        disk = new SimulatedDisk(() => nowMs)
        const written: string[] = []
        for (const life of [0, 1, 2]) {
          const { engine, end } = live()
          await engine.open(host)
          for (const text of ["a", "b", "c"]) {
            written.push(`${life}${text}`)
            append(engine, `${life}${text}`)
          }
          end()
        }
        const files = new Map(disk.copy())
        for (const { file, at, change, cut } of faults) {
          const name = [...files.keys()][file % files.size] ?? ""
          const bytes = Buffer.from(files.get(name) ?? "")
          if (bytes.length === 0) continue
          const offset = at % bytes.length
          bytes[offset] = (bytes[offset] ?? 0) ^ change
          files.set(name, cut ? bytes.subarray(0, offset) : bytes)
        }
        disk.restore(files)
        try {
          const texts = textsIn(await reopened())
          const first = written.indexOf(texts[0] ?? "")
          expect(texts).toEqual(
            written.slice(first === -1 ? 0 : first, (first === -1 ? 0 : first) + texts.length),
          )
        } catch (error) {
          expect(error).toBeInstanceOf(JournalFormatError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe("a round", () => {
  it("removes the segments before it once it has ended and lies on the disk", async () => {
    const { engine, end } = live()
    await engine.open(host)
    append(engine, "old")
    engine.beginRound()
    append(engine, "new")
    expect(engine.roundBytes).toBe(record("new").length)
    engine.endRound()
    expect(disk.files().list()).toHaveLength(2)
    await pass(0)
    expect(disk.files().list()).toEqual(["00000002.journal"])
    expect(disk.syncCount).toBeGreaterThan(0)
    end()
    expect(textsIn(await reopened())).toEqual(["new"])
  })

  it("that has not ended leaves the records before it", async () => {
    const { engine, end } = live()
    await engine.open(host)
    append(engine, "old")
    engine.beginRound()
    append(engine, "new")
    await pass(1_000)
    end()
    expect(textsIn(await reopened())).toEqual(["old", "new"])
  })
})

describe("a disk", () => {
  it("trap-16 that is full holds records back, cut to the last whole one, until it takes them", async () => {
    const { engine, end } = live()
    await engine.open(host)
    append(engine, "one")
    disk.faults.freeBytes = 5
    let isDone = false
    const waiting = engine.append(record("two"))?.then(() => (isDone = true))
    await pass(1_000)
    expect(isDone).toBe(false)
    expect(alarms[0]).toContain("takes no records; output is held")
    expect(textsIn(await reopened())).toEqual(["one"])
    disk.faults.freeBytes = 1_000
    await pass(200)
    await waiting
    expect(isDone).toBe(true)
    end()
    expect(textsIn(await reopened())).toEqual(["one", "two"])
  })

  it.each([0, 5])(
    "that was full for a minute, with %i bytes, has no copy when its process ends",
    async (freeBytes) => {
      const { engine, end } = live()
      await engine.open(host)
      append(engine, "one")
      disk.faults.freeBytes = freeBytes
      append(engine, "two")
      await pass(60_000)
      end()
      const content = await reopened()
      expect(textsIn(content)).toEqual(["one"])
      expect(content.isWhole).toBe(true)
      disk.restore(disk.copy(), true)
      nowMs += 60_000
      disk.restore(disk.copy(), true)
      expect((await reopened()).isWhole).toBe(false)
    },
  )

  it("that has lost the content of a new segment leaves the records before it", async () => {
    await killedAfter(["one"])
    disk.restore(new Map([...disk.copy(), ["00000002.journal", Buffer.alloc(60)]]), true)
    expect(textsIn(await reopened())).toEqual(["one"])
  })

  it("that is full when a segment begins holds the record back, too", async () => {
    disk.faults.freeBytes = 20
    const { engine, end } = live()
    await engine.open(host)
    let isDone = false
    const waiting = engine.append(record("one"))?.then(() => (isDone = true))
    await pass(1_000)
    expect(disk.files().list()).toEqual([])
    disk.faults.freeBytes = 1_000
    await pass(200)
    await waiting
    expect(isDone).toBe(true)
    end()
    expect(textsIn(await reopened())).toEqual(["one"])
  })

  it("trap-17 whose sync fails is not trusted again: a whole round goes to a new segment", async () => {
    const { engine, end } = live()
    await engine.open(host)
    append(engine, "one")
    disk.faults.failsSync = true
    await pass(150)
    disk.faults.failsSync = false
    expect(alarms[0]).toContain("could not be moved to the disk; it begins anew")
    await pass(1_000)
    append(engine, "two")
    end()
    expect(disk.files().list()).toEqual(["00000002.journal"])
    expect(textsIn(await reopened())).toEqual(["all", "two"])
  })

  it("that is slow three times within ten seconds is written outside the event loop", async () => {
    const { engine } = live()
    await engine.open(host)
    disk.faults.beforeWrite = () => (nowMs += 60)
    for (const text of ["one", "two"]) expect(engine.append(record(text))).toBeUndefined()
    expect(engine.isSlow).toBe(false)
    append(engine, "three")
    expect(engine.isSlow).toBe(true)
    await engine.append(record("four"))
    expect(textsIn(await reopened())).toEqual(["one", "two", "three", "four"])
  })

  it("is synced in the background in mode kill, and before each promise resolves in mode power", async () => {
    const kill = live()
    await kill.engine.open(host)
    append(kill.engine, "one")
    append(kill.engine, "two")
    expect(disk.syncCount).toBe(0)
    await pass(100)
    const synced = disk.syncCount
    expect(synced).toBeGreaterThan(0)
    kill.end()
    const power = live({ mode: "power" })
    await power.engine.open(host)
    await power.engine.append(record("three"))
    expect(disk.syncCount).toBeGreaterThan(synced)
  })
})

describe("trap-19 a journal is not whole", () => {
  it("if its file is a copy", async () => {
    await killedAfter(["one"])
    disk.restore(disk.copy())
    expect((await reopened()).isWhole).toBe(false)
  })

  it("if an older copy was written over its file, even one that ended cleanly", async () => {
    const { engine } = live()
    await engine.open(host)
    append(engine, "one")
    await engine.close(true)
    expect((await reopened()).isWhole).toBe(true)
    const older = disk.copy()
    await pass(60_000)
    disk.restore(older, true)
    expect((await reopened()).isWhole).toBe(false)
  })

  it("if the machine has stopped without a clean end", async () => {
    await killedAfter(["one"])
    expect((await reopened({ origin: { host: "h", boot: "other" } })).isWhole).toBe(false)
    const { engine } = live()
    await engine.open(host)
    append(engine, "two")
    await engine.close(true)
    expect((await reopened({ origin: { host: "h", boot: "other" } })).isWhole).toBe(true)
  })
})

describe("a real folder", () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hawser-journal-"))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it("trap-24 keeps records in files that only their owner can read", async () => {
    const files = nodeFiles(folder)
    const lock = (): ReturnType<typeof lockFolder> => lockFolder({ folder, files, waitMs: 0 })
    const first = live({ files, lock, mode: "power", wallClockMs: Date.now, after: realAfter })
    await first.engine.open(host)
    await first.engine.append(record("one"))
    expect(statSync(join(folder, "00000001.journal")).mode & 0o777).toBe(0o600)
    await expect(live({ files, lock }).engine.open(host)).rejects.toThrow(`is in use by`)
    await first.engine.close(true)
    const second = live({ files, lock })
    const content = await second.engine.open(host)
    expect(textsIn(content)).toEqual(["one"])
    expect(content.isWhole).toBe(true)
    await second.engine.close(false)
  })

  it("locked by a process that was killed is free", async () => {
    const program = `
      import { lockFolder } from ${JSON.stringify(new URL("folder-lock.ts", import.meta.url).href)}
      import { nodeFiles } from ${JSON.stringify(new URL("journal-files.ts", import.meta.url).href)}
      await lockFolder({ folder: ${JSON.stringify(folder)}, files: nodeFiles(${JSON.stringify(folder)}), waitMs: 0 })
      console.log("locked")
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    await once(holder.stdout, "data")
    const files = nodeFiles(folder)
    await expect(lockFolder({ folder, files, waitMs: 100 })).rejects.toThrow("is in use by")
    const waiting = lockFolder({ folder, files, waitMs: 10_000 })
    holder.kill("SIGKILL")
    const lock = await waiting
    expect(lock.generation).toBe(2)
    lock.release()
    expect(files.list()).toEqual([])
  })
})

function realAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
