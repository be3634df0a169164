// Every function that an application passes to a client may throw and may reject: no rejection is unhandled,
// `connect()` settles, `onError` is called, and the client continues where it can. Both real ends over an in-memory
// network.
import { createClient, defineContract, defineTopic } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import type { Schema } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { afterEach, describe, expect, it, vi } from "vitest"
import { z } from "zod"

const fault = new Error("a fault of the application")
const throws = (): never => {
  throw fault
}
const rejects = (): Promise<never> => Promise.reject(fault)
const modes = [
  ["throws", throws],
  ["rejects", rejects],
] as const

/** The contract of both ends; the client's copy may have validators that fail. */
function contractWith(validators: { event?: Schema; reply?: Schema; item?: Schema; state?: Schema } = {}) {
  const { event = z.object({}), reply = z.object({}), item = z.number(), state = z.object({}) } = validators
  return defineContract({
    name: "throwing",
    commands: { echo: { input: z.object({}), output: reply } },
    streams: { count: { input: z.object({}), item } },
    events: { note: { payload: event }, other: { payload: z.object({}) } },
    topics: { lobby: defineTopic({ events: ["note"], presence: state }) },
  })
}

type ThrowingContract = ReturnType<typeof contractWith>

/** A validator without a library. */
function rawSchema(validate: () => never | Promise<never>): Schema {
  return { "~standard": { version: 1, vendor: "test", validate } }
}

/** Number of values that `defineContract` tries with the schema of an event or a presence state. */
const probeCount = 7

/** A validator that fails after the probes of `defineContract`. */
function afterProbes(fail: () => never | Promise<never>): Schema {
  let count = 0
  const validate = (value: unknown): { value: unknown } | Promise<never> =>
    ++count > probeCount ? fail() : { value }
  return { "~standard": { version: 1, vendor: "test", validate } }
}

/** @param tokenLifeMs of every token; undefined: unlimited. */
function createWorld({ tokenLifeMs }: { readonly tokenLifeMs?: number } = {}) {
  const clock = new SimulatedClock()
  const serverErrors: unknown[] = []
  const server = createServer(contractWith(), {
    authenticate: (id) => ({
      id,
      ...(tokenLifeMs === undefined ? {} : { expiresAtMs: clock.now() + tokenLifeMs }),
    }),
    clock,
    wallClockMs: () => clock.now(),
    onError: (error) => serverErrors.push(error),
  })
  server.command("echo", () => ({}))
  let streamEnds = 0
  server.stream("count", async function* () {
    try {
      for (let count = 0; ; count += 1) yield count
    } finally {
      streamEnds += 1
    }
  })
  server.topicKind("lobby", { canJoin: () => true, canPublish: () => true })
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
  const errors: unknown[] = []
  const client = (
    options: Partial<ClientOptions> = {},
    contract = contractWith(),
  ): Client<ThrowingContract> =>
    createClient(contract, {
      url: "memory:",
      token: "ann",
      clock,
      random: seededRandom(1),
      dial: network.dial,
      autoConnect: false,
      onError: (error) => errors.push(error),
      ...options,
    })
  return { clock, server, network, errors, client, serverErrors, streamEnds: () => streamEnds }
}

type World = ReturnType<typeof createWorld>

/** Errors that reach the process itself during `work`, and in the turn after it. */
async function unhandled(work: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = []
  const note = (error: unknown): void => void seen.push(error)
  const rejectionListeners = process.listeners("unhandledRejection")
  const exceptionListeners = process.listeners("uncaughtException")
  const silence = (): void => {
    process.removeAllListeners("unhandledRejection")
    process.removeAllListeners("uncaughtException")
  }
  silence()
  process.on("unhandledRejection", note)
  process.on("uncaughtException", note)
  try {
    await work()
    for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  } finally {
    silence()
    for (const listener of rejectionListeners) process.on("unhandledRejection", listener)
    for (const listener of exceptionListeners) process.on("uncaughtException", listener)
  }
  return seen
}

/** Outcome of `connect()`: `open`, or the code of its error. */
async function connected(world: World, client: Client<ThrowingContract>, ms = 30_000): Promise<string> {
  let outcome = "pending"
  client.connect().then(
    () => (outcome = "open"),
    (error: unknown) => (outcome = HawserError.is(error) ? error.code : `no HawserError: ${String(error)}`),
  )
  await world.clock.advance(ms)
  return outcome
}

/** Returns the fault itself, or an error that it caused. */
function isFault(error: unknown): boolean {
  return error === fault || (error instanceof Error && error.cause !== undefined && isFault(error.cause))
}

/** Advances both clocks, the simulated one and the system's, which the system's timers need. */
async function passUntil(world: World, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await world.clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function expectWorks(world: World, client: Client<ThrowingContract>): Promise<void> {
  const reply = client.command("echo", {})
  await world.clock.advance(1_000)
  expect(await reply).toEqual({})
  const { handled, received } = client.stats()
  expect(handled).toBe(received)
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe("a token function", () => {
  it.each(modes)(
    "surprise-A4 that %s fails the attempt, is reported once an outage, and is called again",
    async (_, fail) => {
      const world = createWorld()
      let calls = 0
      const client = world.client({ token: () => (++calls <= 2 ? fail() : "ann"), reconnect: () => 10 })
      const seen = await unhandled(async () => {
        expect(await connected(world, client)).toBe("open")
      })
      expect(seen).toEqual([])
      expect(world.errors.map(isFault)).toEqual([true])
      expect(calls).toBe(3)
    },
  )

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["42", 42],
    ["an object", { token: "ann" }],
    ["an array", ["ann"]],
    ["a function", () => "ann"],
    ["an empty text", ""],
  ])("surprise-A4 that returns %s closes the client with a sentence that names it", async (shown, value) => {
    for (const isLater of [false, true]) {
      const world = createWorld()
      const token: () => string = vi.fn<() => string>().mockImplementation(() => {
        const returned: unknown = isLater ? Promise.resolve(value) : value
        // oxlint-disable-next-line typescript/consistent-type-assertions -- the value is one that the types forbid
        return returned as string
      })
      const client = world.client({ token })
      const seen = await unhandled(async () => {
        expect(await connected(world, client, 600_000)).toBe("auth_token_invalid")
      })
      expect(seen).toEqual([])
      expect(token).toHaveBeenCalledTimes(1)
      const { current } = client
      expect(current).toMatchObject({
        state: "closed",
        error: { code: "auth_token_invalid", retry: "never" },
      })
      expect(current.state === "closed" && HawserError.is(current.error)).toBe(true)
      expect(current.state === "closed" && current.error.message).toContain(`returned ${shown}`)
      expect(world.errors).toHaveLength(1)
    }
  })

  it("surprise-A4 that returns no token for a renewal does not affect the connection, and is reported", async () => {
    const world = createWorld({ tokenLifeMs: 100_000 })
    let calls = 0
    // oxlint-disable-next-line typescript/consistent-type-assertions -- the test is about a value that the types forbid
    const client = world.client({ token: () => (++calls === 1 ? "ann" : (undefined as unknown as string)) })
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
      // The server requests a token after half of the token's life.
      await world.clock.advance(90_000)
    })
    expect([seen, client.current.state, calls]).toEqual([[], "open", 2])
    expect(world.errors).toMatchObject([{ code: "auth_token_invalid" }])
  })
})

describe("a transport", () => {
  it("surprise-A4 that throws ends the attempt with a reported error, and is dialled again", async () => {
    const world = createWorld()
    let dials = 0
    const { dial } = world.network
    const client = world.client({
      dial: (...parameters) => (++dials <= 3 ? throws() : dial(...parameters)),
      reconnect: () => 10,
    })
    const seen = await unhandled(async () => {
      expect(await connected(world, client)).toBe("open")
    })
    expect([seen, dials]).toEqual([[], 4])
    expect(world.errors).toMatchObject([{ code: "connection_failed", cause: fault }])
    await expectWorks(world, client)
  })

  it.each(["SecurityError", "SyntaxError"])(
    "surprise-A4 whose constructor throws a %s closes the client, because no other attempt can succeed",
    async (name) => {
      const world = createWorld()
      let made = 0
      class Refused {
        constructor() {
          made += 1
          throw new DOMException("An insecure WebSocket connection may not be initiated.", name)
        }
      }
      const options = { dial: undefined, url: "ws://127.0.0.1:1/ws" }
      // oxlint-disable-next-line typescript/consistent-type-assertions -- a constructor that never makes anything
      const webSocket = Refused as unknown as NonNullable<ClientOptions["webSocket"]>
      const { dial: _, ...rest } = options
      const client = createClient(contractWith(), {
        ...rest,
        webSocket,
        token: "ann",
        clock: world.clock,
        autoConnect: false,
        onError: (error) => world.errors.push(error),
      })
      const seen = await unhandled(async () => {
        expect(await connected(world, client, 600_000)).toBe("connection_failed")
      })
      expect([seen, made, client.current.state]).toEqual([[], 1, "closed"])
      expect(world.errors).toMatchObject([{ code: "connection_failed", cause: { name } }])
    },
  )
})

describe("a clock, a random source or an event source", () => {
  const half = (): number => 0.5

  /** Works at first: some functions are called long after the client was created. */
  const after = (calls: number, works: () => number, fails: () => number): (() => number) => {
    let count = 0
    return () => (++count > calls ? fails() : works())
  }

  it.each([0, 1, 2, 5, 20])(
    "surprise-A4 is replaced by the system's when it throws after %d calls",
    async (calls) => {
      const world = createWorld()
      const { clock } = world
      const now = after(calls, () => clock.now(), throws)
      const schedule = after(calls, half, throws)
      const client = world.client({
        clock: {
          now,
          schedule: (delayMs, callback) => {
            schedule()
            return clock.schedule(delayMs, callback)
          },
        },
        wallClockMs: after(calls, () => 1e12, throws),
        random: after(calls, half, throws),
        reconnect: () => 1,
        limits: { dialBurst: 100 },
      })
      const seen = await unhandled(async () => {
        let isOpen = false
        client.connect().then(
          () => (isOpen = true),
          () => {},
        )
        await passUntil(world, () => isOpen)
        for (let cuts = 0; cuts < 10; cuts += 1) {
          client.cut()
          await passUntil(world, () => client.current.state === "open")
        }
        client.close()
      })
      expect(seen).toEqual([])
      expect(world.errors.length).toBeGreaterThan(0)
      expect(world.errors.every(isFault)).toBe(true)
      // Each of the four at most once: a failed function is not called again.
      expect(world.errors.length).toBeLessThanOrEqual(4)
    },
  )

  it.each([
    ["random", Number.NaN],
    ["random", 1],
    ["random", -0.1],
    ["wallClockMs", Number.NaN],
  ] as const)("surprise-A4 is replaced when %s returns %d", async (name, value) => {
    const world = createWorld()
    const client = world.client({ [name]: () => value })
    const seen = await unhandled(async () => {
      expect(await connected(world, client)).toBe("open")
    })
    expect(seen).toEqual([])
    expect(world.errors).toHaveLength(1)
    expect(String(world.errors[0])).toContain(`${name} returned`)
  })

  it.each(["wakeSource", "leaveSource"] as const)(
    "surprise-A4 whose start or stop fails is reported: %s",
    async (name) => {
      const world = createWorld()
      for (const source of [throws, () => throws]) {
        const client = world.client({ [name]: source })
        const seen = await unhandled(async () => {
          expect(await connected(world, client, 100)).toBe("open")
          await expectWorks(world, client)
          client.close()
        })
        expect(seen).toEqual([])
      }
      expect(world.errors).toEqual([fault, fault])
    },
  )
})

describe("a reconnection strategy", () => {
  it.each([
    ["throws", throws],
    ["rejects", rejects],
    ["returns NaN", () => Number.NaN],
    ["returns a text", () => "soon"],
  ])("surprise-A4 that %s is reported, and the default one answers", async (_, strategy) => {
    const world = createWorld()
    // oxlint-disable-next-line typescript/consistent-type-assertions -- the test is about a value that the types forbid
    const client = world.client({ reconnect: strategy as unknown as () => number })
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
      world.network.links[0]?.cut()
      await world.clock.advance(30_000)
    })
    expect([seen, client.current.state]).toEqual([[], "open"])
    expect(world.errors.length).toBeGreaterThan(0)
    await expectWorks(world, client)
  })
})

describe("a listener", () => {
  it.each(modes)("surprise-A4 that %s is reported, and the next one is still called", async (_, fail) => {
    const world = createWorld()
    const notified: string[] = []
    const client = world.client()
    const room = client.topic("lobby")
    client.onStatus(fail)
    client.onStatus(({ state }) => notified.push(state))
    client.onSession(fail)
    client.onSession(({ kind }) => notified.push(kind))
    client.on("note", fail)
    client.once("note", fail)
    client.on("note", () => notified.push("note"))
    room.on("note", fail)
    room.onLeft(fail)
    room.onGap(fail)
    room.presence.subscribe(fail)
    room.on("note", () => notified.push("room"))
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
      const joined = room.join({ state: {} })
      await world.clock.advance(200)
      await joined
      const published = room.publish("note", {})
      await world.clock.advance(100)
      await published
      world.server.topic("lobby").publish("note", {})
      await world.clock.advance(100)
      await expectWorks(world, client)
      client.close()
      await world.clock.advance(100)
    })
    expect(seen).toEqual([])
    expect(notified).toEqual([
      "connecting",
      "open",
      "opened",
      "note",
      "room",
      "note",
      "room",
      "reset",
      "closed",
    ])
    expect(world.errors.length).toBeGreaterThan(8)
    expect(world.errors.every(isFault)).toBe(true)
  })
})

describe("a validator", () => {
  const raw = modes.map(([mode, fail]) => [mode, rawSchema(fail)] as const)
  /** Fails when it is used, but not for the values that `defineContract` tries. */
  const late = modes.map(([mode, fail]) => [mode, () => afterProbes(fail)] as const)

  it.each(late)(
    "surprise-A4 of an event that %s refuses it, and the next events are delivered",
    async (mode, event) => {
      const world = createWorld()
      const client = world.client({ validateReplies: true }, contractWith({ event: event() }))
      const notified: string[] = []
      client.on("note", () => notified.push("note"))
      client.on("other", () => notified.push("other"))
      const seen = await unhandled(async () => {
        expect(await connected(world, client, 100)).toBe("open")
        for (const name of ["note", "other"] as const) world.server.broadcast(name, {})
        await world.clock.advance(100)
        await expectWorks(world, client)
      })
      expect([seen, notified]).toEqual([[], ["other"]])
      expect(world.errors).toMatchObject([{ code: "invalid_reply" }])
      expect(isFault(world.errors[0])).toBe(mode === "throws")
    },
  )

  it.each(raw)("surprise-A4 of a reply that %s rejects the call with invalid_reply", async (_, reply) => {
    const world = createWorld()
    const client = world.client({ validateReplies: true }, contractWith({ reply }))
    let code: unknown
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
      client
        .command("echo", {})
        .catch((error: unknown) => (code = HawserError.is(error) && [error.code, error.cause]))
      await world.clock.advance(100)
    })
    expect([seen, code]).toEqual([[], ["invalid_reply", fault]])
  })

  it.each(raw)("surprise-A4 of an item that %s ends the stream at both ends", async (_, item) => {
    const world = createWorld()
    const client = world.client({ validateReplies: true }, contractWith({ item }))
    let code: unknown
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
      client
        .stream("count", {})
        .next()
        .catch((error: unknown) => (code = HawserError.is(error) && [error.code, error.cause]))
      await world.clock.advance(1_000)
    })
    expect([seen, code]).toEqual([[], ["invalid_reply", fault]])
    expect([client.stats().streams, world.streamEnds()]).toEqual([0, 1])
  })

  it.each(late)(
    "surprise-A4 of a presence state that %s is reported, and its member is not listed",
    async (_, state) => {
      const world = createWorld()
      const client = world.client({ validateReplies: true }, contractWith({ state: state() }))
      const seen = await unhandled(async () => {
        expect(await connected(world, client, 100)).toBe("open")
        const joined = client.topic("lobby").join({ state: {} })
        await world.clock.advance(300)
        await joined
        await expectWorks(world, client)
      })
      expect([seen, client.topic("lobby").presence.size]).toEqual([[], 0])
      expect(world.errors.length).toBeGreaterThan(0)
    },
  )
})

describe("onError", () => {
  it.each(modes)(
    "surprise-A4 that %s itself is reported to the console with the error that it was called for",
    async (_, fail) => {
      const shown: unknown[] = []
      vi.spyOn(console, "error").mockImplementation((error) => shown.push(error))
      const world = createWorld()
      const first = new Error("the first one")
      const client = world.client({ onError: fail })
      client.on("note", () => {
        throw first
      })
      const seen = await unhandled(async () => {
        expect(await connected(world, client, 100)).toBe("open")
        world.server.broadcast("note", {})
        await world.clock.advance(100)
        await expectWorks(world, client)
      })
      expect([seen, shown]).toEqual([[], [first, fault]])
    },
  )

  it("surprise-A4 uses the page's error handling where there is one", async () => {
    const shown: unknown[] = []
    vi.stubGlobal("reportError", (error: unknown) => shown.push(error))
    const world = createWorld()
    const { onError: _, ...options } = { onError: undefined }
    const client = createClient(contractWith(), {
      ...options,
      url: "memory:",
      token: "ann",
      clock: world.clock,
      dial: world.network.dial,
      autoConnect: false,
    })
    client.onStatus(throws)
    const seen = await unhandled(async () => {
      expect(await connected(world, client, 100)).toBe("open")
    })
    vi.unstubAllGlobals()
    expect([seen, shown]).toEqual([[], [fault, fault]])
  })
})
