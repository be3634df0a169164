// Players who leave their page: a closed tab and a reload end the session at once, or soon; the back/forward cache
// keeps it. Both real ends over an in-memory network, a simulated clock, and a page that the test leaves.
import type { ClientOptions, PageExit } from "@hawser/client"
import { defaultServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld as createTopicWorld, settled } from "../topics/harness.ts"
import { createWorld, openClient, watchStatus } from "../faults/harness.ts"
import type { World, WorldOptions } from "../faults/harness.ts"
import { sendHello, sendHelloLater } from "./scripted-client.ts"

/** Pages of one test, and the way that each of them is left. */
class Pages {
  readonly #listeners: (((how: PageExit) => void) | undefined)[] = []

  /** Options of the client in the next page. */
  open(): Pick<ClientOptions, "leaveSource"> {
    const place = this.#listeners.push(undefined) - 1
    return {
      leaveSource: (onLeave) => {
        this.#listeners[place] = onLeave
        return () => {
          this.#listeners[place] = undefined
        }
      },
    }
  }

  get listening(): number {
    return this.#listeners.filter((listener) => listener !== undefined).length
  }

  /** The newest page. */
  leave(how: PageExit): void {
    this.#listeners.at(-1)?.(how)
  }
}

function createServerWorld(options: Partial<WorldOptions> = {}): World & { readonly ends: string[] } {
  const world = createWorld({ profile: "hawser.1", ...options })
  const ends: string[] = []
  world.server.onSessionEnd(({ cause }) => ends.push(`${cause} at ${world.clock.now()}`))
  return { ...world, ends }
}

describe("a page that is left for good", () => {
  it("surprise-A8 ends its session at once by BYE", async () => {
    const world = createServerWorld()
    const pages = new Pages()
    await openClient(world, pages.open())
    pages.leave("gone")
    await world.clock.settle()
    expect(world.ends).toEqual(["closed at 0"])
    expect(world.server.stats()).toMatchObject({ sessions: 0 })
  })

  it("surprise-A8 leaves no ghost in presence after six reloads", async () => {
    const world = createTopicWorld()
    const pages = new Pages()
    const watcher = await world.open("ann")
    const room = watcher.topic("chat:a")
    await settled(world, room.join({ state: { mood: "here" } }))
    for (let reloads = 0; reloads < 6; reloads += 1) {
      // No script of a page runs after it was left.
      const player = await world.open("ben", { ...pages.open(), reconnect: false })
      await settled(world, player.topic("chat:a").join({ state: { mood: "new" } }))
      expect([...room.presence].map(({ user }) => user)).toEqual(["ann", "ben"])
      pages.leave("gone")
      // Then the browser closes the page's socket.
      world.network.links.at(-1)?.client.close(1001, "")
      await world.clock.advance(200)
      expect([...room.presence].map(({ user }) => user)).toEqual(["ann"])
    }
    expect(world.errors).toEqual([])
  })

  it("surprise-A8 ignores a second BYE, and one on a replaced connection", async () => {
    const world = createServerWorld({ latencyMs: 1 })
    const first = sendHelloLater(world)
    await world.clock.advance(10)
    const { sessionId, resumeToken } = first.welcome ?? {}
    const claim = { sessionId: sessionId ?? "", token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
    const second = sendHelloLater(world, { dial: 2, resume: claim })
    await world.clock.advance(1.5)
    const bye = { kind: "bye", code: "client_closed", message: "" } as const
    // Behind the HELLO of its successor.
    first.send(bye)
    await world.clock.advance(10)
    expect([second.welcome?.resumed, world.ends]).toEqual([true, []])
    second.send(bye)
    second.send(bye)
    await world.clock.advance(10)
    expect(world.ends).toHaveLength(1)
    expect([second.closes, world.serverErrors]).toEqual([[1000], []])
    expect(world.server.stats().badMessages).toBe(0)
  })

  it("surprise-A8 opens a new session if its script continues, and reports it", async () => {
    const world = createServerWorld()
    const pages = new Pages()
    const client = await openClient(world, pages.open())
    const events: string[] = []
    client.onSession((event) => events.push(event.kind === "reset" ? `reset ${event.cause}` : event.kind))
    pages.leave("gone")
    pages.leave("gone")
    await world.clock.advance(2_000)
    expect(events).toEqual(["reset closed", "opened"])
    expect(await Promise.all([client.command("echo", { text: "here" }), world.clock.settle()])).toEqual([
      { text: "here" },
      undefined,
    ])
    expect(client.current.state).toBe("open")
    expect(world.clientErrors).toEqual([])
  })

  it("surprise-A8 has a listener only while there is a session, and none of a closed client", async () => {
    const world = createServerWorld()
    const pages = new Pages()
    const client = world.client(pages.open())
    expect(pages.listening).toBe(0)
    const connected = client.connect()
    await world.clock.settle()
    await connected
    expect(pages.listening).toBe(1)
    client.close()
    expect(pages.listening).toBe(0)
  })
})

describe("a socket that a browser closes with 1001", () => {
  const { leaveWindowMs, resumeWindowMs } = defaultServerLimits
  const reason = "WebSocket is closed due to suspension."

  it.each([
    { by: "no reason", sent: "", limits: {}, windowMs: leaveWindowMs },
    { by: "a reason, as WebKit's cache gives", sent: reason, limits: {}, windowMs: resumeWindowMs },
    {
      by: "no reason, under a shorter window of all",
      sent: "",
      limits: { resumeWindowMs: 700 },
      windowMs: 700,
    },
    { by: "no reason, with a window of 0", sent: "", limits: { leaveWindowMs: 0 }, windowMs: 0 },
  ])("surprise-A8 keeps its session for a window by $by", async ({ sent, limits, windowMs }) => {
    const world = createServerWorld({ limits })
    await openClient(world, { reconnect: false })
    world.network.links.at(-1)?.client.close(1001, sent)
    if (windowMs > 0) await world.clock.advance(windowMs - 1)
    expect([world.ends, world.server.stats().sessions]).toEqual([[], 1])
    await world.clock.advance(2)
    expect(world.ends).toEqual([`session_expired at ${windowMs}`])
  })

  it.each([1000, 1005, 1006, 3000])(
    "surprise-A8 keeps its session for the whole window after %d, which has no meaning about the page",
    async (code) => {
      const world = createServerWorld()
      await openClient(world, { reconnect: false })
      world.network.links.at(-1)?.client.close(code, "")
      await world.clock.advance(resumeWindowMs - 1)
      expect(world.ends).toEqual([])
    },
  )

  it("surprise-A8 may resume within the short window, and has the full one again afterwards", async () => {
    const world = createServerWorld()
    const client = await openClient(world, { reconnect: () => leaveWindowMs - 1_000 })
    world.network.links.at(-1)?.client.close(1001, "")
    await world.clock.advance(leaveWindowMs)
    expect(client.stats()).toMatchObject({ sessionsResumed: 1, sessionsReset: 0 })
    world.network.listening = false
    world.network.links.at(-1)?.cut()
    await world.clock.advance(resumeWindowMs - 1_000)
    expect(world.ends).toEqual([])
  })
})

describe("a page that dials while it is being closed", () => {
  const { leaveWindowMs } = defaultServerLimits

  /** Firefox closes the sockets of a page first, notifies the page, and lets it continue for a moment. */
  it("surprise-A8 keeps the short window if its client never confirms the resume", async () => {
    const world = createServerWorld()
    const first = await sendHello(world)
    const { sessionId = "", resumeToken } = first.welcome ?? {}
    const claim = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
    world.network.links.at(-1)?.client.close(1001, "")
    await world.clock.advance(100)
    const second = await sendHello(world, { dial: 2, resume: claim })
    expect(second.welcome?.resumed).toBe(true)
    second.cut()
    await world.clock.advance(leaveWindowMs - 1)
    expect(world.ends).toEqual([])
    await world.clock.advance(2)
    expect(world.ends).toEqual([`session_expired at ${100 + leaveWindowMs}`])
  })
})

describe("a page in the back/forward cache", () => {
  it("surprise-A8 is detached at once without a BYE, and resumes when it is shown", async () => {
    let onWake = (): void => {}
    const world = createServerWorld({ latencyMs: 5 })
    const pages = new Pages()
    const client = world.client({
      ...pages.open(),
      reconnect: () => 3_600_000,
      wakeSource: (wake) => {
        onWake = wake
        return () => {}
      },
    })
    const connected = client.connect()
    await world.clock.advance(100)
    await connected
    const { sessionId } = client
    const states = watchStatus(client)
    pages.leave("cached")
    await world.clock.advance(30_000)
    expect(world.server.local.sessions().map(({ attached }) => attached)).toEqual([false])
    expect(world.ends).toEqual([])
    onWake()
    await world.clock.advance(50)
    expect(states.map(({ state }) => state)).toEqual(["reconnecting", "reconnecting", "open"])
    expect([client.sessionId, client.stats().sessionsResumed]).toEqual([sessionId, 1])
  })
})
