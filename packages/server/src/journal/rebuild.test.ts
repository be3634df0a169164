import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { recordSpace } from "./journal-engine.ts"
import type { KeptMembership } from "../base/session-page.ts"
import type { KeptClaims, KeptSession } from "../session/life/kept-session.ts"
import type { KeptPublication, KeptState } from "./kept-state.ts"
import { unacknowledgedOf } from "./kept-state.ts"
import { operation } from "./operation-codes.ts"
import { OperationWriter } from "./operations.ts"
import { Rebuild } from "./rebuild.ts"
import { JournalFormatError } from "./record-reader.ts"

function claimsAt(generation: number): KeptClaims {
  return {
    generation,
    isConfirmed: generation % 2 === 0,
    lastDial: generation + 3,
    takeoversAtMs: generation % 3 === 0 ? [1_700_000_000_000, 1_700_000_000_500] : [],
    windowMs: 120_000,
    spentMs: generation * 10,
    detachedAtMs: generation % 2 === 0 ? undefined : 1_700_000_001_000,
  }
}

function sessionWith(id: string): KeptSession {
  return {
    id,
    clientId: `client of ${id}`,
    user: Buffer.from(`user of ${id}`),
    address: "10.0.0.1",
    claims: claimsAt(1),
    base: 0,
    baseDigest: 0,
    messages: [],
    firstMessage: 0,
    handled: 0,
    handledDigest: 0,
    ahead: new Set(),
    started: new Map(),
    values: new Map(),
    streams: new Set(),
    memberships: new Map(),
  }
}

/** Writes what happens, and applies each record to a state that reads every record. */
class Life {
  readonly writer = new OperationWriter()
  readonly whole = new Rebuild()
  readonly records: Buffer[] = []
  readonly #times: number[] = []
  #atMs = 1_700_000_000_000

  constructor() {
    this.writer.round(1)
    this.writer.roundEnd()
    this.end()
  }

  get state(): KeptState {
    return this.whole.state
  }

  /** Ends the turn. */
  end(): void {
    if (this.writer.isEmpty) return
    const body = Buffer.from(this.writer.take().subarray(recordSpace))
    this.records.push(body)
    this.#atMs += 5
    this.#times.push(this.#atMs)
    this.whole.apply(body, this.#atMs)
  }

  /** Returns the state after the records from this one on. */
  from(index: number): KeptState {
    const rebuild = new Rebuild()
    for (const [at, body] of this.records.entries())
      if (at >= index) rebuild.apply(body, this.#times[at] ?? 0)
    expect(rebuild.isComplete).toBe(true)
    return rebuild.state
  }
}

function byName(
  [one]: readonly [string | number, unknown],
  [other]: readonly [string | number, unknown],
): number {
  return String(one) < String(other) ? -1 : 1
}

/** Returns what a state means: without the slack of its lists and its count of deliveries. */
function meaning(state: KeptState): unknown {
  const sessions = [...state.sessions]
    .toSorted(([one], [other]) => one - other)
    .map(([number, session]) => {
      const messages = unacknowledgedOf(session).map((bytes) => Buffer.from(bytes).toString())
      const values = [...session.values].map(([key, bytes]) => [key, Buffer.from(bytes).toString()])
      const sets = [session.ahead, session.streams].map((set) => [...set].toSorted((a, b) => a - b))
      const started = [...session.started].toSorted(([one], [other]) => one - other)
      const user = Buffer.from(session.user).toString()
      const memberships = [...session.memberships].toSorted(byName)
      return {
        number,
        ...session,
        started,
        messages,
        firstMessage: 0,
        values,
        sets,
        user,
        memberships,
        ...{ ahead: 0, streams: 0 },
      }
    })
  const topics = [...state.topics].toSorted(byName).map(([name, topic]) => ({
    name,
    ...topic,
    publications: topic.publications.map(({ bytes, ...rest }) => ({
      ...rest,
      text: Buffer.from(bytes).toString(),
    })),
  }))
  const presences = [...state.presences]
    .toSorted(byName)
    .map(([name, { members, changed, gone, publishedCount }]) => [
      name,
      [...members],
      [...changed],
      [...gone],
      publishedCount,
    ])
  const rest = [state.ends, state.outcomes, state.types].map((map) => [...map].toSorted(byName))
  return { sessions, topics, presences, rest, next: state.nextSession }
}

/** One random thing that happens. */
type Deed = readonly [kind: number, who: number, amount: number]

function nth<T>(items: Iterable<T>, index: number): T | undefined {
  const all = [...items]
  return all.length === 0 ? undefined : all[index % all.length]
}

/** Epochs of all topics: no two topics of one name have the same one. */
let epochs = 0

/** Writes one deed as a server would. */
function act({ writer, state }: Life, [kind, who, amount]: Deed): void {
  const number = nth(state.sessions.keys(), who)
  const session = number === undefined ? undefined : state.sessions.get(number)
  const topic = nth(state.topics.keys(), who)
  switch (kind) {
    case 0: {
      const next = state.nextSession
      writer.session(next, sessionWith(`s${next}`))
      return
    }
    case 1: {
      const message = { bytes: Buffer.from(`broadcast ${amount}`) }
      for (const recipient of state.sessions.keys())
        if ((recipient + who) % 3 > 0) writer.sent(recipient, message)
      return
    }
    case 2: {
      epochs += 1
      const epoch = `e${epochs}`
      writer.topic(`room:${who % 3}`, {
        epoch,
        offset: 0,
        endsAtMs: who % 2 === 0 ? undefined : 1_800_000_000_000,
      })
      return
    }
    case 3: {
      if (topic === undefined) return
      const bytes = Buffer.from(`published ${amount}`)
      const offset = (state.topics.get(topic)?.offset ?? 0) + 1
      writer.published(
        topic,
        offset,
        who % 4 === 0
          ? undefined
          : { bytes, atMs: 1_700_000_000_000 + amount, except: who % 2 === 0 ? "c" : null },
      )
      for (const recipient of state.sessions.keys()) writer.sent(recipient, { bytes })
      return
    }
    case 4:
      if (topic !== undefined) writer.topicEnded(topic)
      return
    case 5:
      writer.type(amount, `type ${who}`)
      writer.end(`gone${who}`, {
        cause: "closed",
        userId: "u",
        isFinal: who % 2 === 0,
        untilMs: 1_800_000_000_000,
      })
      writer.outcome({
        userId: `u${who % 4}`,
        id: `call ${amount % 5}`,
        untilMs: 1_800_000_000_000 + amount,
        packed: Buffer.from([amount % 256]),
      })
      return
    case 6:
      writer.presenceTold(`room:${who % 3}`)
      return
    default:
      if (number !== undefined && session !== undefined)
        actOf(writer, { number, session }, [kind, who, amount])
  }
}

function actOf(
  writer: OperationWriter,
  { number, session }: { number: number; session: KeptSession },
  [kind, who, amount]: Deed,
): void {
  const membership: KeptMembership = {
    member: number * 10 + (who % 3),
    away: amount % 2 === 0,
    isBehind: amount % 3 === 0,
    state:
      amount % 4 === 0 ? null : { bytes: Buffer.from("state"), depth: 1, elements: 2, longestKeyBytes: 3 },
  }
  if (kind === 7) writer.sent(number, { bytes: Buffer.from(`reply ${amount}`) })
  else if (kind === 8) {
    const unacknowledged = unacknowledgedOf(session).length
    writer.acked(number, session.base + (amount % (unacknowledged + 1)), amount)
  } else if (kind === 9) {
    const handled = session.handled + (amount % 3)
    writer.settled(number, {
      handled,
      digest: amount,
      ahead: amount % 2 === 0 ? [] : [handled + 2, handled + 3],
    })
  } else if (kind === 10) writer.started(number, session.handled + 1 + (amount % 4), 1 + (amount % 3))
  else if (kind === 11) writer.claims(number, claimsAt(amount), `10.0.0.${amount % 255}`)
  else if (kind === 12) writer.user(number, Buffer.from(`user ${amount}`))
  else if (kind === 13) writer.stream(number, amount % 5, who % 2 === 0)
  else if (kind === 14) writer.life("next", who % 2 === 0)
  else if (kind === 15) writer.value(number, `key ${amount % 3}`, { bytes: Buffer.from(`value ${amount}`) })
  else if (kind === 16) writer.member(number, `room:${who % 3}`, membership)
  else if (kind === 17) writer.left(number, `room:${who % 3}`)
  else writer.ended(number)
}

/** Restates everything in turns of `step` sessions or topics, with deeds between them. Returns the index of its first record. */
function restate(life: Life, step: number, between: readonly Deed[]): number {
  const { writer, state } = life
  const first = life.records.length
  writer.round(state.nextSession)
  for (const [number, name] of state.types) writer.type(number, name)
  for (const [id, end] of state.ends) writer.end(id, end)
  for (const outcome of state.outcomes.values()) writer.outcome(outcome)
  life.end()
  let deed = 0
  for (const group of groupsOf(statements(life), step)) {
    for (const write of group) write()
    life.end()
    const next = between[deed]
    if (next !== undefined) act(life, next)
    life.end()
    deed += 1
  }
  writer.roundEnd()
  life.end()
  return first
}

/** Yields the statements of sessions, then of the topics that exist when the last session was stated. */
function* statements({ writer, state }: Life): Generator<() => void, void> {
  for (const number of state.sessions.keys())
    yield () => {
      const session = state.sessions.get(number)
      if (session !== undefined) writer.session(number, session)
    }
  for (const name of new Set([...state.topics.keys(), ...state.presences.keys()])) {
    let left: KeptPublication[] = []
    let epoch = ""
    yield () => {
      const topic = state.topics.get(name)
      left = [...(topic?.publications ?? [])]
      if (topic !== undefined) {
        epoch = topic.epoch
        writer.restateTopic(name, topic)
      }
    }
    for (;;) {
      const publication = left.shift()
      if (publication === undefined) break
      yield () => {
        if (state.topics.get(name)?.epoch === epoch) writer.retained(name, publication)
      }
    }
    yield () => {
      const presence = state.presences.get(name)
      if (presence !== undefined) writer.presence(name, presence, presence.publishedCount)
    }
  }
}

function* groupsOf<T>(items: Iterable<T>, size: number): Generator<readonly T[], void> {
  let group: T[] = []
  for (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  yield group
}

const deed: fc.Arbitrary<Deed> = fc.tuple(fc.nat(18), fc.nat(20), fc.nat(300))
const deeds = fc.array(deed, { maxLength: 60 })

describe("a journal", () => {
  it("read from the last round on has the state of all its records", () => {
    fc.assert(
      fc.property(
        fc.tuple(deeds, deeds, deeds),
        fc.integer({ min: 1, max: 5 }),
        ([before, between, after], step) => {
          const life = new Life()
          for (const one of before) {
            act(life, one)
            life.end()
          }
          const first = restate(life, step, between)
          for (const one of after) {
            act(life, one)
            life.end()
          }
          expect(meaning(life.from(first))).toEqual(meaning(life.state))
        },
      ),
      { numRuns: 300 },
    )
  })

  it("keeps the order of the messages of each session, and the bytes of a broadcast once", () => {
    const life = new Life()
    const { writer, state } = life
    for (const number of [1, 2, 3]) writer.session(number, sessionWith(`s${number}`))
    const broadcast = { bytes: Buffer.from("to all") }
    writer.sent(1, broadcast)
    writer.sent(2, broadcast)
    writer.sent(1, { bytes: Buffer.from("to one") })
    writer.sent(3, broadcast)
    life.end()
    const texts = (number: number): string[] =>
      (state.sessions.get(number)?.messages ?? []).map((bytes) => Buffer.from(bytes).toString())
    expect(texts(1)).toEqual(["to all", "to one"])
    expect(texts(2)).toEqual(["to all"])
    expect(texts(3)).toEqual(["to all"])
    expect(state.sessions.get(1)?.messages[0]).toBe(state.sessions.get(2)?.messages[0])
  })

  it("trap-21 shares the bytes of a broadcast among restated sessions", () => {
    const life = new Life()
    const { writer } = life
    const broadcast = { bytes: Buffer.alloc(1_000, 65) }
    for (const number of [1, 2, 3]) writer.session(number, sessionWith(`s${number}`))
    for (const number of [1, 2, 3]) writer.sent(number, broadcast)
    life.end()
    const first = restate(life, 1, [])
    const bytes = life.records.slice(first).reduce((sum, { length }) => sum + length, 0)
    expect(bytes).toBeLessThan(2_000)
    const messages = [...life.from(first).sessions.values()].map(({ messages: [message] }) => message)
    expect(new Set(messages).size).toBe(1)
  })

  it("writes a publication and its recipients with the bytes once", () => {
    const life = new Life()
    const { writer } = life
    writer.session(1, sessionWith("s1"))
    writer.topic("room:1", { epoch: "e", offset: 0, endsAtMs: undefined })
    life.end()
    const bytes = Buffer.alloc(1_000, 65)
    writer.published("room:1", 1, { bytes, atMs: 5, except: null })
    writer.sent(1, { bytes })
    life.end()
    expect(life.records.at(-1)?.length).toBeLessThan(1_100)
    const { sessions, topics } = life.state
    expect(sessions.get(1)?.messages[0]).toEqual(new Uint8Array(bytes))
    expect(topics.get("room:1")?.publications).toMatchObject([{ offset: 1, atMs: 5, except: null }])
  })

  it("orders a restated history by its offsets: publications of the round may come before older ones", () => {
    const life = new Life()
    const { writer, state } = life
    writer.restateTopic("room:1", { epoch: "e", offset: 3, endsAtMs: undefined })
    life.end()
    writer.published("room:1", 4, { bytes: Buffer.from("4"), atMs: 4, except: null })
    life.end()
    for (const offset of [2, 3])
      writer.retained("room:1", { offset, bytes: Buffer.from("x"), atMs: offset, except: null })
    life.end()
    expect(state.topics.get("room:1")?.publications.map(({ offset }) => offset)).toEqual([2, 3, 4])
  })

  it("lets sessions that were attached wait since the last record of their process", () => {
    const life = new Life()
    const { writer, state } = life
    for (const number of [1, 2]) writer.session(number, sessionWith(`s${number}`))
    writer.claims(1, claimsAt(2), "10.0.0.1")
    writer.claims(2, { ...claimsAt(1), detachedAtMs: 7 }, "10.0.0.1")
    life.end()
    const lastAtMs = state.lastAtMs
    writer.life("next", false)
    life.end()
    expect([...state.sessions.values()].map(({ claims }) => claims.detachedAtMs)).toEqual([lastAtMs, 7])
  })

  it("forgets started requests once they are settled", () => {
    const life = new Life()
    const { writer, state } = life
    writer.session(1, sessionWith("s1"))
    for (const count of [1, 2, 3, 5]) writer.started(1, count, count)
    life.end()
    writer.settled(1, { handled: 1, digest: 9, ahead: [3] })
    life.end()
    const session = state.sessions.get(1)
    expect([...(session?.started ?? [])]).toEqual([
      [2, 2],
      [5, 5],
    ])
    expect([...(session?.ahead ?? [])]).toEqual([3])
    writer.life("next", false)
    life.end()
    expect(session?.started.get(5)).toBe(5)
    writer.life("next", true)
    life.end()
    expect(session?.started.get(5)).toBe(1)
  })
})

describe("a record that does not fit is refused", () => {
  const broken: readonly (readonly [
    what: string,
    write: (writer: OperationWriter) => void,
    message: string,
  ])[] = [
    [
      "a session that does not exist",
      (writer) => writer.acked(9, 1, 1),
      "names session 9, which does not exist",
    ],
    ["a topic that does not exist", (writer) => writer.published("x", 1, undefined), 'names topic "x"'],
    [
      "an acknowledgement of messages that were not sent",
      (writer) => {
        writer.session(1, sessionWith("s1"))
        writer.acked(1, 1, 1)
      },
      "session s1 acknowledges message 1; it has 0 after 0",
    ],
  ]
  it.each(broken)("%s", (_, write, message) => {
    const life = new Life()
    write(life.writer)
    expect(() => life.end()).toThrow(message)
  })

  it("trap-22 an operation of a newer version", () => {
    expect(() => new Rebuild().apply(Buffer.of(200), 1)).toThrow(
      "operation 200, which this server does not know",
    )
  })

  it("any bytes, without another error", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(...Object.values(operation)),
        (bytes, code) => {
          const rebuild = new Rebuild()
          try {
            rebuild.apply(Buffer.from([code, ...bytes]), 1)
          } catch (error) {
            expect(error).toBeInstanceOf(JournalFormatError)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
