// Memberships and presence boards as plain data, with sessions of a real server.
import { defaultServerLimits, defineContract } from "@hawser/protocol"
import { TimerQueue, TypeTable, contractTypes, createFrameCodec, wireVersion } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { Atomic } from "../base/atomic.ts"
import { createCodecs } from "../base/codecs.ts"
import { ServerCounters } from "../base/counters.ts"
import { createServer } from "../server.ts"
import { FanOut } from "../session/conversation/fan-out.ts"
import { ServerSession } from "../session/life/server-session.ts"
import { PresenceBoard } from "./presence-board.ts"
import type { Membership } from "./membership.ts"
import { MembershipIndex } from "./membership-index.ts"
import type { MembershipRecord } from "../session/life/session-record.ts"

interface TestUser {
  readonly id: string
}

const contract = defineContract({ name: "empty" })
const types = contractTypes(contract)
const { codec: serverCodec } = createCodecs(new TypeTable(types), defaultServerLimits)

/** Returns sessions of a server, one for each user. `received` contains the payloads of all `$presence` events. */
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
    const [session] = server.local.sessions(user)
    if (!isServerSession(session)) throw new Error(`${user} has no session`)
    return session
  })
  const newBoard = (): PresenceBoard<TestUser> =>
    new PresenceBoard({
      fanOut: new FanOut(new Atomic(() => {})),
      timers: new TimerQueue(clock, fail),
      counters: new ServerCounters(),
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

function membershipOf(session: ServerSession<TestUser>, id: number, mood: string): Membership<TestUser> {
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

describe("memberships as plain data", () => {
  it("reference their sessions by id, and contain their encoded states", async () => {
    const { sessions } = await openSessions("ann")
    const [ann] = sessions
    if (ann === undefined) throw new Error("no session")
    const memberships = new MembershipIndex<TestUser>(defaultServerLimits)
    const membership = membershipOf(ann, 7, "fine")
    memberships.add(membership)
    const bare = { ...membership, id: 8, topic: "lobby", state: undefined, isBehind: true, away: true }
    memberships.add(bare)
    const records = structuredClone(memberships.freeze(ann))
    expect(records).toEqual([
      {
        topic: "chat",
        session: ann.id,
        member: 7,
        state: {
          bytes: membership.state?.encoding(() => expect.fail()).bytes,
          depth: 1,
          elements: 2,
          longestKeyBytes: 4,
        },
        away: false,
        isBehind: false,
      },
      { topic: "lobby", session: ann.id, member: 8, state: null, away: true, isBehind: true },
    ])
    const restored = new MembershipIndex<TestUser>(defaultServerLimits)
    expect(restored.thaw(records, ann, (topic) => topic === "chat")).toMatchObject([
      { id: 7, topic: "chat", user: "ann", isShown: true },
      { id: 8, topic: "lobby", user: "ann", isShown: false },
    ])
    expect([restored.size, restored.freeze(ann)]).toEqual([2, records])
    expect(restored.get("chat", ann)).toMatchObject({ id: 7, session: ann })
  })

  it("count against topicsPerSession and topicsPerUser after thaw", async () => {
    const { sessions } = await openSessions("ann", "ben")
    const [ann, ben] = sessions
    if (ann === undefined || ben === undefined) throw new Error("no session")
    const limits = { ...defaultServerLimits, topicsPerSession: 1, topicsPerUser: 9 }
    const memberships = new MembershipIndex<TestUser>(limits)
    memberships.add(membershipOf(ann, 1, "fine"))
    const restored = new MembershipIndex<TestUser>(limits)
    restored.thaw(memberships.freeze(ann), ben, isShown)
    expect(restored.size).toBe(0)
    const [membership] = restored.thaw(memberships.freeze(ann), ann, isShown)
    expect(() => restored.assertCapacity(ann)).toThrow(/has joined 1 topics \(limits\.topicsPerSession\)/)
    if (membership !== undefined) restored.delete(membership)
    expect(() => restored.assertCapacity(ann)).not.toThrow()
  })
})

describe("a presence board as plain data", () => {
  /** Returns a board with an unpublished change, and a board restored from it. */
  async function restoredBoard() {
    const opened = await openSessions("ann", "ben", "cem")
    const { clock, sessions, newBoard } = opened
    const memberships = new MembershipIndex<TestUser>(defaultServerLimits)
    const board = newBoard()
    const [first, second, third] = sessions.map((session, index) =>
      membershipOf(session, index + 1, session.user.id),
    )
    if (first === undefined || second === undefined || third === undefined) throw new Error("no session")
    for (const membership of [first, second, third]) {
      memberships.add(membership)
      board.add(membership)
    }
    await clock.advance(60)
    memberships.delete(second)
    board.delete(second)
    third.state = serverCodec.hold({ mood: "new" }, 5)
    board.changed(third)
    const records: MembershipRecord[] = structuredClone(
      sessions.flatMap((session) => memberships.freeze(session)),
    )
    const restoredIndex = new MembershipIndex<TestUser>(defaultServerLimits)
    const byMember = new Map<number, Membership<TestUser>>()
    for (const session of sessions)
      for (const membership of restoredIndex.thaw(records, session, isShown))
        byMember.set(membership.id, membership)
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
    const joining = membershipOf(ann, 9, "late")
    const encoded = [board, restored].map((each) => {
      const { members } = each.listWith(joining)
      const payload = members.map(({ id, user, state, away }) => [id, user, state, away])
      return serverCodec.encode({ kind: "event", type: "$presence", payload })
    })
    expect(encoded[1]).toEqual(encoded[0])
    expect([...byMember.keys()]).toEqual([1, 3])
  })

  it("publishes the same change once, in its next tick", async () => {
    const { clock, received, board, restored } = await restoredBoard()
    received.length = 0
    await clock.advance(100)
    // Two boards send to two members each.
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
