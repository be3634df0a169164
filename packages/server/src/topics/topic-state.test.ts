// Seats and presence boards as plain data, with sessions of a real server.
import { defaultServerLimits, defineContract } from "@hawser/protocol"
import { TimerQueue, TypeTable, contractTypes, createFrameCodec, wireVersion } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createCodecs } from "../base/codecs.ts"
import { createCounters } from "../base/counters.ts"
import { createServer } from "../server.ts"
import { FanOut } from "../session/conversation/fan-out.ts"
import { ServerSession } from "../session/life/server-session.ts"
import { PresenceBoard } from "./presence-board.ts"
import type { Seat } from "./presence-board.ts"
import { TopicSeats } from "./topic-seats.ts"
import type { SeatRecord } from "../session/life/session-record.ts"

interface TestUser {
  readonly id: string
}

const contract = defineContract({ name: "empty" })
const types = contractTypes(contract)
const { codec: serverCodec } = createCodecs(types, defaultServerLimits)

/** A server, and a session of it for each user. `received` has the payloads of all `$presence` events. */
async function openSessions(...users: string[]) {
  const clock = new SimulatedClock()
  const server = createServer(contract, { authenticate: (id): TestUser => ({ id }), clock })
  const network = createMemoryNetwork({ clock, accept: server.accept })
  const codec = createFrameCodec(new TypeTable(types), defaultServerLimits.clientMessage)
  const received: unknown[] = []
  for (const token of users) {
    const connection = network.dial("", ["hawser.1"], {
      open: () => {
        const hello = {
          kind: "hello" as const,
          version: wireVersion,
          reference: null,
          clientId: "c",
          dial: 1,
          token,
        }
        connection.send({ bytes: codec.encode(hello) })
      },
      message: (bytes) => {
        const frame = codec.decode(bytes, 1)
        if (frame.kind === "event") received.push(frame.payload)
      },
      text() {},
      drained() {},
      pong() {},
      closed() {},
    })
  }
  await clock.advance(100)
  const sessions = users.map((user) => {
    const [session] = server.sessionsOf(user)
    if (!isServerSession(session)) throw new Error(`${user} has no session`)
    return session
  })
  const newBoard = (): PresenceBoard<TestUser> =>
    new PresenceBoard({
      fanOut: new FanOut(),
      timers: new TimerQueue(clock, fail),
      counters: createCounters(),
      limits: defaultServerLimits,
      onError: fail,
    })
  return { clock, sessions, received, newBoard }
}

function isServerSession(session: unknown): session is ServerSession<TestUser> {
  return session instanceof ServerSession
}

function fail(error: unknown): void {
  throw error
}

function seatOf(session: ServerSession<TestUser>, id: number, mood: string): Seat<TestUser> {
  const state = serverCodec.hold({ mood }, 5)
  return {
    id,
    topic: "chat",
    session,
    user: session.user.id,
    state,
    away: false,
    isShown: true,
    isBehind: false,
  }
}

const isShown = (): boolean => true

describe("seats as plain data", () => {
  it("name their sessions by id, and have their states encoded", async () => {
    const { sessions } = await openSessions("ann")
    const [ann] = sessions
    if (ann === undefined) throw new Error("no session")
    const seats = new TopicSeats<TestUser>(defaultServerLimits)
    const seat = seatOf(ann, 7, "fine")
    seats.add(seat)
    const bare = { ...seat, id: 8, topic: "lobby", state: undefined, isBehind: true, away: true }
    seats.add(bare)
    const records = structuredClone(seats.freeze(ann))
    expect(records).toEqual([
      {
        topic: "chat",
        session: ann.id,
        member: 7,
        state: {
          bytes: seat.state?.encoding(() => expect.fail()).bytes,
          depth: 1,
          elements: 2,
          longestKeyBytes: 4,
        },
        away: false,
        isBehind: false,
      },
      { topic: "lobby", session: ann.id, member: 8, state: null, away: true, isBehind: true },
    ])
    const restored = new TopicSeats<TestUser>(defaultServerLimits)
    expect(restored.thaw(records, ann, (topic) => topic === "chat")).toMatchObject([
      { id: 7, topic: "chat", user: "ann", isShown: true },
      { id: 8, topic: "lobby", user: "ann", isShown: false },
    ])
    expect([restored.size, restored.freeze(ann)]).toEqual([2, records])
    expect(restored.get("chat", ann)).toMatchObject({ id: 7, session: ann })
  })

  it("count against the bounds of their session and user again", async () => {
    const { sessions } = await openSessions("ann", "ben")
    const [ann, ben] = sessions
    if (ann === undefined || ben === undefined) throw new Error("no session")
    const limits = { topicsPerSession: 1, topicsPerUser: 9 }
    const seats = new TopicSeats<TestUser>(limits)
    seats.add(seatOf(ann, 1, "fine"))
    const restored = new TopicSeats<TestUser>(limits)
    restored.thaw(seats.freeze(ann), ben, isShown)
    expect(restored.size).toBe(0)
    const [seat] = restored.thaw(seats.freeze(ann), ann, isShown)
    expect(() => restored.assertRoom(ann)).toThrow(/a session has 1 topics at most/)
    if (seat !== undefined) restored.delete(seat)
    expect(() => restored.assertRoom(ann)).not.toThrow()
  })
})

describe("a presence board as plain data", () => {
  /** A board whose last change is not published yet, and one restored from it. */
  async function restoredBoard() {
    const opened = await openSessions("ann", "ben", "cem")
    const { clock, sessions, newBoard } = opened
    const seats = new TopicSeats<TestUser>(defaultServerLimits)
    const board = newBoard()
    const [first, second, third] = sessions.map((session, index) =>
      seatOf(session, index + 1, session.user.id),
    )
    if (first === undefined || second === undefined || third === undefined) throw new Error("no session")
    for (const seat of [first, second, third]) {
      seats.add(seat)
      board.add(seat)
    }
    await clock.advance(60)
    seats.delete(second)
    board.delete(second)
    third.state = serverCodec.hold({ mood: "new" }, 5)
    board.changed(third)
    const records: SeatRecord[] = structuredClone(sessions.flatMap((session) => seats.freeze(session)))
    const restoredSeats = new TopicSeats<TestUser>(defaultServerLimits)
    const byMember = new Map<number, Seat<TestUser>>()
    for (const session of sessions)
      for (const seat of restoredSeats.thaw(records, session, isShown)) byMember.set(seat.id, seat)
    const restored = newBoard()
    restored.thaw(structuredClone(board.freeze()), (_, member) => byMember.get(member))
    return { ...opened, board, restored, byMember }
  }

  it("lists the same members with the same bytes", async () => {
    const { board, restored, sessions, byMember } = await restoredBoard()
    expect(restored.freeze()).toEqual(board.freeze())
    expect(restored.listedBytes("chat")).toBe(board.listedBytes("chat"))
    const [ann] = sessions
    if (ann === undefined) throw new Error("no session")
    const joining = seatOf(ann, 9, "late")
    const encoded = [board, restored].map((each) => {
      const { members } = each.listWith(joining)
      const payload = members.map(({ id, user, state, away }) => [id, user, state, away])
      return serverCodec.encode({ kind: "event", type: "$presence", payload })
    })
    expect(encoded[1]).toEqual(encoded[0])
    expect([...byMember.keys()]).toEqual([1, 3])
  })

  it("publishes the same change with its next tick, once", async () => {
    const { clock, received, board, restored } = await restoredBoard()
    received.length = 0
    await clock.advance(100)
    // Two members, from two boards.
    expect(received).toHaveLength(4)
    for (const payload of received) {
      expect(payload).toEqual({
        topic: "chat",
        full: false,
        count: 2,
        set: [[3, "cem", { mood: "new" }, false]],
        gone: [2],
      })
    }
    await clock.advance(1_000)
    expect(received).toHaveLength(4)
    expect(restored.freeze()).toEqual(board.freeze())
  })

  it("has no topic whose members were not restored", async () => {
    const { clock, board, newBoard } = await restoredBoard()
    const restored = newBoard()
    restored.thaw(board.freeze(), () => undefined)
    expect([restored.freeze(), restored.list("chat")]).toEqual([[], undefined])
    await clock.advance(1_000)
  })
})
