// Rules of a session store, for every store: its holder of a session, the recorded end, admission of another session,
// and that each session is in one place only. The suite runs the factory of a store inside a real server.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import type { MemoryNetwork } from "@hawser/protocol/testing"
import { createServer, decodeSessionRecord, encodeSessionRecord } from "@hawser/server"
import type {
  Server,
  ServerOptions,
  SessionClaim,
  SessionStore,
  SessionStoreFactory,
  StoreHost,
} from "@hawser/server"
import { describe, expect, it } from "vitest"

const contract = defineContract({ name: "stores" })

type TestContract = typeof contract
interface TestUser {
  readonly id: string
}

interface Scene {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly server: Server<TestContract, TestUser>
  readonly store: SessionStore
  readonly host: StoreHost<TestUser>
  readonly open: (user: string) => Promise<Client<TestContract>>
  /** The claim's answer, after any delay. */
  readonly claim: (sessionId: string, userId: string) => Promise<SessionClaim>
}

function createScene(
  make: SessionStoreFactory<TestUser>,
  options: Partial<ServerOptions<TestContract, TestUser>> = {},
): Scene {
  const clock = new SimulatedClock()
  const made: { store: SessionStore; host: StoreHost<TestUser> }[] = []
  let ids = 0
  const server = createServer(contract, {
    authenticate: (id) => ({ id }),
    clock,
    sessionId: () => `s${++ids}`,
    sessionStore(host) {
      const store = make(host)
      made.push({ store, host })
      return store
    },
    ...options,
  })
  const [one] = made
  if (one === undefined) throw new Error("a server makes its store at once")
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
  return {
    clock,
    network,
    server,
    ...one,
    async open(token) {
      const client = createClient(contract, {
        url: "memory:",
        token,
        clock,
        dial: network.dial,
        autoConnect: false,
      })
      const connected = client.connect()
      await clock.advance(1_000)
      await connected
      return client
    },
    async claim(sessionId, userId) {
      const answer = Promise.resolve(one.store.claim(sessionId, userId))
      await clock.advance(1_000)
      return answer
    },
  }
}

/** @param make the store's factory. The suite opens, ends, freezes and thaws sessions around it. */
export function sessionStoreSuite(name: string, make: SessionStoreFactory<TestUser>): void {
  claimSuite(name, make)
  newcomerSuite(name, make)
}

function claimSuite(name: string, make: SessionStoreFactory<TestUser>): void {
  describe(`a claim in the session store "${name}"`, () => {
    it("answers `unknown` for a session that never existed", async () => {
      const { claim } = createScene(make)
      expect(await claim("s9", "ann")).toEqual({ kind: "unknown" })
    })

    it("has a session here while it is open, attached or not", async () => {
      const { claim, open, network, clock, server } = createScene(make)
      await open("ann")
      expect(await claim("s1", "ann")).toEqual({ kind: "here" })
      network.listening = false
      network.links.at(-1)?.cut()
      await clock.advance(100)
      expect(server.local.sessions()).toMatchObject([{ attached: false }])
      expect(await claim("s1", "ann")).toEqual({ kind: "here" })
    })

    it("returns the end of a session to its user, and to no other user", async () => {
      const { claim, open, server } = createScene(make)
      await open("ann")
      await server.endSessions({ user: "ann", code: "forbidden" })
      expect(await claim("s1", "ann")).toEqual({ kind: "ended", cause: "forbidden", isFinal: true })
      expect(await claim("s1", "ben")).toEqual({ kind: "unknown" })
      await open("cem")
      await server.endSessions({ user: "cem", code: "session_ended" })
      expect(await claim("s2", "cem")).toMatchObject({ kind: "ended", isFinal: false })
    })

    it("does not have a frozen session here, and has it here again once it is thawed", async () => {
      const { claim, open, host } = createScene(make)
      await open("ann")
      const frozen = host.freeze("s1")
      expect(host.holds("s1")).toBe(false)
      expect(host.freeze("s1")).toBeUndefined()
      if (frozen === undefined) throw new Error("an open session can be frozen")
      expect(await claim("s1", "ann")).not.toMatchObject({ kind: "here" })
      const record = decodeSessionRecord(encodeSessionRecord(frozen))
      expect(record).toEqual(frozen)
      host.thaw(record)
      expect(await claim("s1", "ann")).toEqual({ kind: "here" })
      expect(() => host.thaw(record)).toThrow(RangeError)
    })
  })
}

function newcomerSuite(name: string, make: SessionStoreFactory<TestUser>): void {
  describe(`a new session in the session store "${name}"`, () => {
    it("ends detached sessions first, then the oldest", async () => {
      const { open, store, host, network, clock } = createScene(make, { limits: { sessionsPerUser: 2 } })
      const newcomer = { userId: "ann", clientId: "new", dial: 1 }
      expect(await store.open(newcomer)).toEqual({ kind: "open", ends: [] })
      await open("ann")
      await open("ann")
      expect(await store.open(newcomer)).toEqual({ kind: "open", ends: ["s1"] })
      network.listening = false
      network.links.at(-1)?.cut()
      await clock.advance(100)
      expect(host.sessionsOf("ann").map(({ attached }) => attached)).toEqual([true, false])
      expect(await store.open(newcomer)).toEqual({ kind: "open", ends: ["s2"] })
      expect(await store.open({ ...newcomer, userId: "ben" })).toEqual({ kind: "open", ends: [] })
    })

    it("is refused where the oldest wins, unless a detached session can end", async () => {
      const options = { limits: { sessionsPerUser: 1 }, sessionPolicy: "oldestWins" } as const
      const { open, store, network, clock } = createScene(make, options)
      await open("ann")
      const newcomer = { userId: "ann", clientId: "new", dial: 1 }
      expect(await store.open(newcomer)).toMatchObject({ kind: "refused", code: "too_many_connections" })
      network.listening = false
      network.links.at(-1)?.cut()
      await clock.advance(100)
      expect(await store.open(newcomer)).toEqual({ kind: "open", ends: ["s1"] })
    })

    it("refuses an earlier dial of a client that has a session, and not a client that counts no dials", async () => {
      const { open, store, host } = createScene(make)
      await open("ann")
      const [held] = host.sessionsOf("ann")
      if (held === undefined) throw new Error("ann has a session")
      const newcomer = { userId: "ann", clientId: held.clientId }
      const refused = { kind: "refused", code: "replaced" }
      expect(await store.open({ ...newcomer, dial: held.lastDial })).toEqual(refused)
      expect(await store.open({ ...newcomer, dial: held.lastDial + 1 })).toEqual({ kind: "open", ends: [] })
      expect(await store.open({ ...newcomer, dial: undefined })).toEqual({ kind: "open", ends: [] })
      expect(await store.open({ ...newcomer, clientId: "other", dial: 0 })).toEqual({
        kind: "open",
        ends: [],
      })
    })
  })
}
