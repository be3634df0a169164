// The conformance suite of topic logs: the invariants of packages/server/src/topics/topic-log.ts, for any log.
import { outbound } from "@hawser/protocol/core"
import type { TopicHistoryLimits, TopicPosition } from "@hawser/protocol"
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import type { LogPublication, LogQuery, TopicLog } from "../../packages/server/src/topics/topic-log.ts"

/** A publication whose frame is the text `offset text`. */
export class TextPublication implements LogPublication {
  readonly text: string
  readonly except: string | undefined
  /** Offsets of its encodings. */
  readonly offsets: number[] = []

  constructor(text: string, except?: string) {
    this.text = text
    this.except = except
  }

  encode(offset: number): void {
    if (this.text === "unsendable") throw new RangeError("unsendable")
    this.offsets.push(offset)
  }

  retained() {
    return outbound(new TextEncoder().encode(`${this.offsets.at(-1)} ${this.text}`))
  }
}

interface LogUnderTest {
  readonly log: TopicLog<TextPublication>
  /** Advances the log's time, in milliseconds, and runs everything that is due. */
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

/** Makes an empty log. Topics whose name begins with `kept` have a history with these limits, others have none. */
export type MakeLog = (limits: TopicHistoryLimits) => Promise<LogUnderTest>

const roomy: TopicHistoryLimits = { maxCount: 100, maxAgeMs: 60_000, maxBytes: 64 * 1_024 }
const all: LogQuery = { since: undefined, recent: Number.MAX_SAFE_INTEGER, maxBytes: 1_000_000 }

function after(since: TopicPosition | undefined): LogQuery {
  return { ...all, since: since ?? { epoch: "", offset: 0 }, recent: 0 }
}

function publish({ log }: LogUnderTest, topic: string, ...texts: string[]): (TopicPosition | undefined)[] {
  return texts.map((text) => log.append(topic, new TextPublication(text)))
}

/** The answer to a query, with frames as texts. */
function readTexts(log: TopicLog<TextPublication>, topic: string, query: LogQuery = all) {
  const read = log.read(topic, query)
  const texts = read?.entries.map(({ message }) => new TextDecoder().decode(message.bytes))
  return read && { from: read.from, gap: read.gap, texts }
}

export function topicLogSuite(name: string, makeLog: MakeLog): void {
  describe(`${name}, as a topic log`, () => {
    const using =
      (limits: Partial<TopicHistoryLimits>, test: (made: LogUnderTest) => void | Promise<void>) =>
      async (): Promise<void> => {
        const made = await makeLog({ ...roomy, ...limits })
        try {
          await test(made)
        } finally {
          await made.close()
        }
      }
    numberingTests(using)
    subscriberTests(using)
    lifeTests(using)
    readTests(using)
    gapTests(using)
    boundTests(using)
    modelTest(makeLog)
  })
}

type Using = (
  limits: Partial<TopicHistoryLimits>,
  test: (made: LogUnderTest) => void | Promise<void>,
) => () => Promise<void>

function numberingTests(using: Using): void {
  it(
    "numbers the publications of an epoch from 1, and names the number to the encoder",
    using({}, (made) => {
      const publications = ["a", "b", "c"].map((text) => new TextPublication(text))
      const positions = publications.map((publication) => made.log.append("kept", publication))
      expect(positions.map((position) => position?.offset)).toEqual([1, 2, 3])
      expect(new Set(positions.map((position) => position?.epoch)).size).toBe(1)
      expect(publications.map(({ offsets }) => offsets)).toEqual([[1], [2], [3]])
      expect(made.log.head("kept")).toEqual(positions[2])
      expect(publish(made, "kept:other", "d")).toMatchObject([{ offset: 1 }])
    }),
  )

  it(
    "uses no number for a publication that cannot be encoded, and creates no topic for it",
    using({}, (made) => {
      const { log } = made
      const received: string[] = []
      log.subscribe("brief", (_, { text }) => received.push(text))
      for (const topic of ["kept", "brief"]) {
        const [first] = publish(made, topic, "a")
        expect(() => publish(made, topic, "unsendable")).toThrow("unsendable")
        expect(log.head(topic)).toEqual(first)
        expect(publish(made, topic, "b")).toEqual([{ epoch: first?.epoch, offset: 2 }])
      }
      expect(readTexts(log, "kept")?.texts).toEqual(["1 a", "2 b"])
      expect(received).toEqual(["a", "b"])
    }),
  )

  it(
    "numbers nothing in a topic that has neither a history nor subscribers",
    using({}, (made) => {
      const publication = new TextPublication("a")
      expect(made.log.append("brief", publication)).toBeUndefined()
      expect([publication.offsets, made.log.head("brief"), made.log.read("brief", all)]).toEqual([
        [],
        undefined,
        undefined,
      ])
    }),
  )

  it(
    "refuses invalid names of topics",
    using({}, ({ log }) => {
      for (const topic of ["", "a b", "..", "x".repeat(129)])
        expect(() => log.subscribe(topic, () => {})).toThrow(RangeError)
      expect(() => log.append("kept a", new TextPublication("a"))).toThrow(RangeError)
    }),
  )
}

function subscriberTests(using: Using): void {
  it(
    "passes each publication to the subscribers of its topic, once and by ascending offset",
    using({}, async (made) => {
      const { log } = made
      const received: string[] = []
      const subscriber =
        (id: string) =>
        (topic: string, { text, offsets }: TextPublication): void =>
          void received.push(`${id} ${topic} ${offsets.at(-1)} ${text}`)
      const [one, other] = [subscriber("one"), subscriber("other")]
      log.subscribe("brief", one)
      log.subscribe("brief", one)
      log.subscribe("kept", one)
      publish(made, "brief", "a")
      log.subscribe("brief", other)
      publish(made, "brief", "b")
      publish(made, "kept", "c")
      log.unsubscribe("brief", one)
      log.unsubscribe("brief", one)
      publish(made, "brief", "d")
      await made.advance(10)
      expect(received.toSorted()).toEqual([
        "one brief 1 a",
        "one brief 2 b",
        "one kept 1 c",
        "other brief 2 b",
        "other brief 3 d",
      ])
    }),
  )

  it(
    "has taken the number when a subscriber receives the publication",
    using({}, (made) => {
      const heads: unknown[] = []
      made.log.subscribe("kept", () =>
        heads.push(made.log.head("kept")?.offset, readTexts(made.log, "kept")?.texts),
      )
      publish(made, "kept", "a")
      expect(heads).toEqual([1, ["1 a"]])
    }),
  )
}

function lifeTests(using: Using): void {
  const subscriber = (): void => {}

  it(
    "ends the epoch of a topic without a history with its last subscriber",
    using({}, (made) => {
      const { log } = made
      const other = (): void => {}
      log.subscribe("brief", subscriber)
      log.subscribe("brief", other)
      const [first] = publish(made, "brief", "a")
      log.unsubscribe("brief", subscriber)
      expect(log.head("brief")).toEqual(first)
      log.unsubscribe("brief", other)
      expect(log.head("brief")).toBeUndefined()
      log.subscribe("brief", subscriber)
      expect(log.head("brief")).toMatchObject({ offset: 0 })
      expect(log.head("brief")?.epoch).not.toBe(first?.epoch)
    }),
  )

  it(
    "ends the epoch of a topic with a history when it had no subscriber and no publication for the history's age",
    using({ maxAgeMs: 1_000 }, async (made) => {
      const { log } = made
      log.subscribe("kept", subscriber)
      const [first] = publish(made, "kept", "a")
      await made.advance(5_000)
      expect(log.head("kept")).toEqual(first)
      log.unsubscribe("kept", subscriber)
      await made.advance(700)
      publish(made, "kept", "b")
      await made.advance(700)
      expect(log.head("kept")).toEqual({ epoch: first?.epoch, offset: 2 })
      await made.advance(600)
      expect(log.head("kept")).toMatchObject({ offset: 0 })
      expect(log.head("kept")?.epoch).not.toBe(first?.epoch)
      expect(readTexts(log, "kept")?.texts).toEqual([])
    }),
  )
}

function readTests(using: Using): void {
  it(
    "returns the publications after a position, and the newest ones without one",
    using({}, (made) => {
      const { log } = made
      const [, second] = publish(made, "kept", "a", "b", "c", "d")
      expect(readTexts(log, "kept", after(second))).toEqual({
        from: 2,
        gap: undefined,
        texts: ["3 c", "4 d"],
      })
      expect(readTexts(log, "kept", { ...all, recent: 1 })).toEqual({
        from: 3,
        gap: undefined,
        texts: ["4 d"],
      })
      expect(readTexts(log, "kept", { ...all, recent: 0 })).toEqual({ from: 4, gap: undefined, texts: [] })
      expect(readTexts(log, "kept", after(log.head("kept")))).toEqual({ from: 4, gap: undefined, texts: [] })
    }),
  )

  it(
    "names the client that a publication is not meant for",
    using({}, ({ log }) => {
      log.append("kept", new TextPublication("a", "ann"))
      log.append("kept", new TextPublication("b"))
      expect(log.read("kept", all)?.entries.map(({ except }) => except)).toEqual(["ann", undefined])
    }),
  )
}

function gapTests(using: Using): void {
  it(
    "reports a gap of unknown length to a reader of another epoch, and returns all of this one",
    using({}, (made) => {
      const { log } = made
      const [first] = publish(made, "kept", "a", "b")
      const gap = { from: 8, to: undefined, reason: "restarted" }
      for (const epoch of ["other", first?.epoch ?? ""])
        expect(readTexts(log, "kept", after({ epoch, offset: 7 }))).toEqual({
          from: 0,
          gap,
          texts: ["1 a", "2 b"],
        })
    }),
  )

  it(
    "reports everything that a topic without a history has published as a gap",
    using({}, (made) => {
      made.log.subscribe("brief", () => {})
      const [first] = publish(made, "brief", "a", "b", "c")
      const gap = { from: 2, to: 3, reason: "unkept" }
      expect(readTexts(made.log, "brief", after(first))).toEqual({ from: 3, gap, texts: [] })
    }),
  )

  it(
    "reports publications that are larger than the reader takes as part of a gap",
    using({}, (made) => {
      const [first] = publish(made, "kept", "a", "b".repeat(500), "c".repeat(500), "d")
      const gap = { from: 2, to: 3, reason: "trimmed" }
      const query = { ...after(first), maxBytes: 100 }
      expect(readTexts(made.log, "kept", query)).toEqual({ from: 3, gap, texts: ["4 d"] })
    }),
  )
}

function boundTests(using: Using): void {
  const trimmed = (from: number, to: number): object => ({ from, to, reason: "trimmed" })

  it(
    "retains the newest publications up to the bound of count",
    using({ maxCount: 2 }, (made) => {
      const [first] = publish(made, "kept", "a", "b", "c", "d")
      expect(readTexts(made.log, "kept", after(first))).toEqual({
        from: 2,
        gap: trimmed(2, 2),
        texts: ["3 c", "4 d"],
      })
    }),
  )

  it(
    "retains no publication that is older than the bound of age",
    using({ maxAgeMs: 1_000 }, async (made) => {
      made.log.subscribe("kept", () => {})
      const [first] = publish(made, "kept", "a", "b")
      await made.advance(600)
      publish(made, "kept", "c")
      await made.advance(600)
      expect(readTexts(made.log, "kept", after(first))).toEqual({
        from: 2,
        gap: trimmed(2, 2),
        texts: ["3 c"],
      })
    }),
  )

  it(
    "retains no publication before one that is larger than the bound of bytes",
    using({ maxBytes: 1_000 }, (made) => {
      const [first] = publish(made, "kept", "a", "b", "c".repeat(1_500), "d")
      expect(readTexts(made.log, "kept", after(first))).toEqual({
        from: 3,
        gap: trimmed(2, 3),
        texts: ["4 d"],
      })
    }),
  )
}

/** Random operations on three topics, against lists. */
function modelTest(makeLog: MakeLog): void {
  it("numbers, passes on and retains without gaps and repetitions, in 100 random walks", async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const made = await makeLog({ ...roomy, maxCount: 5 })
      try {
        await walk(made, seededRandom(seed))
      } catch (error) {
        throw new Error(`seed ${seed} failed`, { cause: error })
      } finally {
        await made.close()
      }
    }
  })
}

async function walk(made: LogUnderTest, random: () => number): Promise<void> {
  const { log } = made
  const draw = <T>(from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0]
  /** Texts of the current epoch. */
  const published = new Map<string, readonly string[]>()
  const subscribed = new Set<string>()
  const received: string[] = []
  const expected: string[] = []
  const subscriber = (topic: string, { text }: TextPublication): void =>
    void received.push(`${topic} ${text}`)
  for (let turn = 0; turn < 60; turn += 1) {
    const topic = draw(["kept", "kept:b", "brief"])
    const exists = topic !== "brief" || subscribed.has(topic)
    const before = published.get(topic) ?? []
    switch (draw(["publish", "publish", "publish", "fail", "subscribe", "unsubscribe"])) {
      case "publish": {
        const [position] = publish(made, topic, `text ${turn}`)
        expect(position?.offset).toBe(exists ? before.length + 1 : undefined)
        if (exists) published.set(topic, [...before, `text ${turn}`])
        if (subscribed.has(topic)) expected.push(`${topic} text ${turn}`)
        break
      }
      case "fail":
        if (exists) expect(() => publish(made, topic, "unsendable")).toThrow("unsendable")
        break
      case "subscribe":
        log.subscribe(topic, subscriber)
        subscribed.add(topic)
        break
      default:
        log.unsubscribe(topic, subscriber)
        subscribed.delete(topic)
        if (topic === "brief") published.delete(topic)
    }
    const numbered = (published.get(topic) ?? []).map((text, at) => `${at + 1} ${text}`)
    expect(readTexts(log, topic)?.texts ?? []).toEqual(topic === "brief" ? [] : numbered.slice(-5))
  }
  await made.advance(10)
  expect(received).toEqual(expected)
}
