import type { OutboundMessage } from "@hawser/protocol/core"
import { outbound } from "@hawser/protocol/core"
import { beforeEach, describe, expect, it } from "vitest"
import type { FollowedSession, KeptSession } from "../session/life/kept-session.ts"
import { FileEngine } from "./file-engine.ts"
import { Journal } from "./journal.ts"
import type { ReadJournal } from "./journal.ts"
import { unacknowledgedOf } from "./kept-state.ts"
import { SimulatedDisk } from "./simulated-files.ts"

const nowMs = 1_700_000_000_000
let disk: SimulatedDisk
let alarms: string[]

beforeEach(() => {
  disk = new SimulatedDisk(() => nowMs)
  alarms = []
})

/** Session with the parts that a journal keeps. */
class Followed implements FollowedSession {
  readonly id: string
  readonly address = "10.0.0.1"
  readonly keptUser = Buffer.from("user")
  readonly messages: Uint8Array[] = []
  base = 0
  handled = 0

  constructor(id: string) {
    this.id = id
  }

  get keptClaims(): KeptSession["claims"] {
    const times = { takeoversAtMs: [], detachedAtMs: undefined }
    return { generation: 1, isConfirmed: true, lastDial: 1, windowMs: 1_000, spentMs: 0, ...times }
  }

  get keptCounts(): { base: number; baseDigest: number; handled: number; handledDigest: number } {
    return {
      base: this.base,
      baseDigest: this.base * 7,
      handled: this.handled,
      handledDigest: this.handled * 11,
    }
  }

  statement(): KeptSession {
    return {
      ...{ id: this.id, clientId: "c", user: this.keptUser, address: this.address, claims: this.keptClaims },
      ...this.keptCounts,
      ...{ messages: this.messages.slice(this.base), firstMessage: 0, attempts: 0 },
      ...{
        ahead: new Set(),
        started: new Map(),
        streams: new Set(),
        values: new Map(),
        memberships: new Map(),
      },
    }
  }
}

interface Life {
  readonly journal: Journal
  readonly read: ReadJournal
  /** True if the turn is armed. */
  isArmed: boolean
  /** Ends the turn. */
  pass(): Promise<void> | undefined
  /** Ends the process. */
  kill(): void
}

async function live(
  limits: Partial<{ roundBytes: number; roundDeliveries: number; stepMs: number }> = {},
): Promise<Life> {
  const files = disk.files()
  const engine = new FileEngine({
    mode: "kill",
    files,
    origin: { host: "h", boot: "b" },
    lock: () => Promise.resolve({ generation: 1, release: () => {} }),
    syncEveryMs: 100,
    after(_, run) {
      const timer = setImmediate(run)
      return () => clearImmediate(timer)
    },
    now: () => 0,
    wallClockMs: () => nowMs,
  })
  const onAlarm = ({ message }: Error): number => alarms.push(message)
  const bounds = { roundBytes: 1_000_000, roundDeliveries: 1_000_000, stepMs: 0, ...limits }
  let ms = 0
  const journal = new Journal({
    engine,
    limits: bounds,
    onAlarm,
    now: () => (ms += 1),
    wallClockMs: () => nowMs,
  })
  const read = await journal.open()
  let number = 0
  const pass = (): Promise<void> | undefined => journal.pass({ number: (number += 1) })
  const life: Life = { journal, read, isArmed: false, pass, kill: () => files.end() }
  journal.start("life", () => (life.isArmed = true))
  return life
}

/** Ends turns until nothing is left to append. */
async function turns(life: Life): Promise<void> {
  while (life.isArmed) {
    life.isArmed = false
    await life.pass()
  }
}

async function iterations(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await new Promise(setImmediate)
}

function send(journal: ReturnType<Journal["follow"]>, session: Followed, message: OutboundMessage): void {
  session.messages.push(message.bytes)
  journal.sent(message)
}

function textsOf({ state }: ReadJournal, id: string): string[] {
  const session = [...state.sessions.values()].find((one) => one.id === id)
  return session === undefined ? [] : unacknowledgedOf(session).map((bytes) => Buffer.from(bytes).toString())
}

describe("a journal", () => {
  it("appends what was noted when the turn ends, and nothing before", async () => {
    const life = await live()
    await turns(life)
    const session = new Followed("s")
    const page = life.journal.follow(session)
    send(page, session, outbound(Buffer.from("one")))
    expect(life.isArmed).toBe(true)
    const before = disk.copy()
    await life.pass()
    const after = disk.copy()
    disk.restore(before, true)
    expect(textsOf((await live()).read, "s")).toEqual([])
    disk.restore(after, true)
    expect(textsOf((await live()).read, "s")).toEqual(["one"])
  })

  it("trap-04 keeps what clients have acknowledged, settled and received, as it was at the end of the turn", async () => {
    const life = await live()
    const session = new Followed("s")
    const page = life.journal.follow(session)
    for (const text of ["one", "two", "three"]) send(page, session, outbound(Buffer.from(text)))
    await turns(life)
    session.base = 2
    page.acknowledged()
    // An acknowledgement is no reason to append; a confirmed token is one.
    expect(life.isArmed).toBe(false)
    page.claimed()
    expect(life.isArmed).toBe(true)
    session.handled = 4
    page.settled(4)
    page.settled(6)
    page.started(7)
    page.started(8)
    page.settled(8)
    await turns(life)
    const { read } = await live()
    const [kept] = [...read.state.sessions.values()]
    expect(textsOf(read, "s")).toEqual(["three"])
    expect(kept).toMatchObject({ base: 2, baseDigest: 14, handled: 4, handledDigest: 44 })
    expect([...(kept?.ahead ?? [])]).toEqual([6, 8])
    expect([...(kept?.started ?? [])]).toEqual([[7, 1]])
  })

  it("trap-21 states each session in rounds, some of them in each turn, and removes the segments before", async () => {
    const life = await live({ roundBytes: 500, stepMs: 2 })
    const sessions = Array.from({ length: 20 }, (_, index) => new Followed(`s${index}`))
    const pages = sessions.map((session) => life.journal.follow(session))
    for (let round = 0; round < 50; round += 1) {
      const message = outbound(Buffer.from(`broadcast ${round}`))
      for (const [index, page] of pages.entries()) {
        const session = sessions[index]
        if (session === undefined) continue
        send(page, session, message)
        if (round > 3) session.base = round - 3
        page.acknowledged()
      }
      await turns(life)
    }
    expect(disk.files().list().length).toBeLessThan(3)
    expect(Number(disk.files().list()[0]?.slice(0, 8))).toBeGreaterThan(5)
    const { read } = await live()
    for (const { id } of sessions)
      expect(textsOf(read, id)).toEqual(["broadcast 46", "broadcast 47", "broadcast 48", "broadcast 49"])
    expect(read.state.sessions.size).toBe(20)
  })

  it("continues the numbers of sessions, and forgets ended ones", async () => {
    const first = await live()
    const one = first.journal.follow(new Followed("one"))
    first.journal.follow(new Followed("two"))
    one.ended()
    await turns(first)
    first.kill()
    const second = await live()
    expect([...second.read.state.sessions.keys()]).toEqual([2])
    for (const number of second.read.state.sessions.keys())
      second.journal.follow(new Followed("two"), { number, isChanged: false, started: new Map() })
    second.journal.follow(new Followed("three"))
    await turns(second)
    second.kill()
    const { state, lives } = (await live()).read
    expect([...state.sessions].map(([number, { id }]) => [number, id])).toEqual([
      [2, "two"],
      [3, "three"],
    ])
    expect(lives).toEqual(["life", "life"])
  })

  it("states sessions before anything else: a join between both would be missing from the presence of its topic", async () => {
    const life = await live()
    const order: string[] = []
    life.journal.restates({
      *statements() {
        yield () => order.push("topic")
      },
    })
    const session = new Followed("s")
    const state = session.statement.bind(session)
    session.statement = () => {
      order.push("session")
      return state()
    }
    life.journal.follow(session, { number: 7, isChanged: false, started: new Map() })
    await turns(life)
    expect(order).toEqual(["session", "topic"])
  })

  it("keeps nothing before it was read: a turn in which a session opens is discarded", async () => {
    const files = disk.files()
    const engine = new FileEngine({
      ...{ mode: "kill", files, origin: { host: "h", boot: "b" }, syncEveryMs: 100 },
      lock: () => Promise.reject(new Error("not opened")),
      after: () => () => {},
      now: () => 0,
      wallClockMs: () => nowMs,
    })
    const limits = { roundBytes: 1_000_000, roundDeliveries: 1_000_000, stepMs: 0 }
    const journal = new Journal({ engine, limits, onAlarm: () => {}, now: () => 0, wallClockMs: () => nowMs })
    expect(journal.pass({ number: 1 })).toBeUndefined()
    expect(journal.kept).toBe(1)
    journal.follow(new Followed("s"))
    expect(() => journal.pass({ number: 2 })).toThrow("await server.recover() first")
    expect([journal.kept, files.list()]).toEqual([1, []])
  })

  it("states everything once in a new segment after a failed sync, with the notes of the open turn", async () => {
    const life = await live()
    const session = new Followed("s")
    const page = life.journal.follow(session)
    send(page, session, outbound(Buffer.from("one")))
    disk.faults.failsSync = true
    await turns(life)
    await iterations(5)
    send(page, session, outbound(Buffer.from("two")))
    disk.faults.failsSync = false
    await iterations(5)
    expect(alarms[0]).toContain("begins anew")
    send(page, session, outbound(Buffer.from("three")))
    await turns(life)
    await iterations(5)
    life.kill()
    const { read } = await live()
    expect(textsOf(read, "s")).toEqual(["one", "two", "three"])
  })

  it("begins anew without what has ended in a turn that was held meanwhile, while the records before are still there", async () => {
    const life = await live()
    const [stays, ends] = [new Followed("stays"), new Followed("ends")]
    life.journal.follow(stays)
    const page = life.journal.follow(ends)
    await turns(life)
    const before = disk.copy()
    disk.faults.failsSync = true
    await iterations(5)
    page.ended()
    disk.faults.failsSync = false
    await iterations(5)
    life.kill()
    const after = disk.copy()
    expect([...after.keys()]).not.toContain([...before.keys()][0])
    disk.restore(new Map([...before, ...after]))
    const { read } = await live()
    expect([...read.state.sessions.values()].map(({ id }) => id)).toEqual(["stays"])
  })

  it("resolves `committed` once the turn is appended, also without a note", async () => {
    const life = await live()
    await turns(life)
    let isDone = false
    const done = life.journal.committed().then(() => (isDone = true))
    await Promise.resolve()
    expect(isDone).toBe(false)
    await turns(life)
    await done
    expect(isDone).toBe(true)
  })
})
