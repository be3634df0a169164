// Defaults of `onError` and `onRefused`: faults and refused log-ins appear on the console with their cause, and no peer can
// flood it.
import { createClient } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { AuthenticatedUser, LoginRefusal, ServerOptions } from "@hawser/server"
import { afterEach, describe, expect, it, vi } from "vitest"
import { format, inspect } from "node:util"
import { z } from "zod"

const contract = defineContract({
  name: "loud",
  commands: { move: { input: z.object({}), output: z.object({}) } },
})
type Options = ServerOptions<typeof contract, AuthenticatedUser>

afterEach(() => vi.restoreAllMocks())

/** A world whose ends have the default `onError`, and the lines of the console. */
function createWorld(options: Partial<Options> = {}) {
  const errors: unknown[][] = []
  const warnings: unknown[] = []
  vi.spyOn(console, "error").mockImplementation((...line) => errors.push(line))
  vi.spyOn(console, "warn").mockImplementation((line) => warnings.push(line))
  const clock = new SimulatedClock()
  const server = createServer(contract, { authenticate: (id) => ({ id }), clock, ...options })
  const network = createMemoryNetwork({ clock, accept: server.accept })
  const client = (token: string) =>
    createClient(contract, {
      url: "memory:",
      token,
      clock,
      dial: network.dial,
      autoConnect: false,
      reconnect: false,
    })
  /** Logs in once; the outcome is a line of the console. */
  async function logIn(token: string): Promise<void> {
    client(token)
      .connect()
      .catch(() => {})
    await clock.settle()
  }
  return { clock, server, client, logIn, errors, warnings }
}

const refused = (token: string): never => {
  throw new HawserError("auth_token_invalid", { cause: new Error(`the cause of ${token}`) })
}

describe("a fault of a handler", () => {
  it("is on the console with the call's name and the error that was thrown", async () => {
    const { clock, server, client, errors } = createWorld()
    const fault = new Error("no such table")
    server.command("move", () => {
      throw fault
    })
    const ann = client("ann")
    const connected = ann.connect()
    await clock.settle()
    await connected
    for (let index = 0; index < 25; index += 1) ann.command("move", {}).catch(() => {})
    await clock.settle()
    const sentence = 'hawser: handler of "move" for user "ann" failed'
    expect(errors.map(firstLines)).toEqual(
      Array.from({ length: 10 }, () => [sentence, "    Error: no such table"]),
    )
    expect(String(errors[0])).toContain("loud-by-default.test.ts")
    await clock.advance(60_000)
    ann.command("move", {}).catch(() => {})
    await clock.settle()
    expect(firstLines(errors[10])[0]).toBe(`${sentence} (16 times since the last such line)`)
  })

  it("abuse-A35 shows a peer's text escaped and cut: it forges no line, moves no cursor and hides no error", async () => {
    const { clock, server, client, errors } = createWorld()
    const hostile = `%c%s\u001b[2J\nhawser: all is well${"x".repeat(60_000)}`
    server.command("move", () => {
      throw new Error(hostile)
    })
    server.onSession(() => {
      throw new Error(hostile)
    })
    const ann = client("%c%o")
    ann.connect().catch(() => {})
    await clock.settle()
    ann.command("move", {}).catch(() => {})
    await clock.settle()
    expect(errors).toHaveLength(2)
    for (const line of errors) {
      // A console formats a text only with arguments after it.
      expect(line).toHaveLength(1)
      const [text] = line
      expect(text).toMatch(/^hawser: .*%c.*\n {4}Error: %c%s\\u001b\[2J\n {4}hawser: all is well/)
      expect(String(text).length).toBeLessThan(12_000)
      for (const row of String(text).split("\n").slice(1)) expect(row).toMatch(/^ {4}/)
    }
  })

  it.each([
    ["a revoked proxy", () => revoked()],
    ["an error whose message throws", () => withThrowing(new Error("e"), "message")],
    ["a value that throws when it is shown", () => withThrowing({}, inspect.custom)],
  ])("answers the caller when a handler throws %s, and the session continues", async (_, odd) => {
    const { clock, server, client, errors } = createWorld()
    let isOdd = true
    server.command("move", () => {
      if (isOdd) throw odd()
      return {}
    })
    const ann = client("ann")
    ann.connect().catch(() => {})
    await clock.settle()
    const first = ann.command("move", {}).catch((error: unknown) => error)
    await clock.settle()
    expect(await first).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toHaveLength(1)
    isOdd = false
    const second = ann.command("move", {})
    await clock.settle()
    expect(await second).toEqual({})
  })
})

function firstLines(line: readonly unknown[] | undefined): string[] {
  return String(line?.[0]).split("\n").slice(0, 2)
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function withThrowing(value: object, name: PropertyKey): object {
  return Object.defineProperty(value, name, {
    get() {
      throw new Error("reading it throws")
    },
  })
}

describe("a fault of a listener at the client", () => {
  it("is not hidden by a % sign in its sentence, which a console formats", async () => {
    const { client, errors } = createWorld()
    const fault = new Error("100%c sure")
    const ann = client("ann")
    ann.onStatus(() => {
      throw fault
    })
    ann.connect().catch(() => {})
    expect(errors[0]).toEqual(["hawser: 100%%c sure", fault])
    expect(format(...(errors[0] ?? []))).toMatch(/^hawser: 100%c sure Error: 100%c sure/)
  })

  it("is on the console", async () => {
    const { clock, client, errors } = createWorld()
    const fault = new Error("the listener failed")
    const ann = client("ann")
    ann.onStatus(() => {
      throw fault
    })
    ann.connect().catch(() => {})
    await clock.settle()
    expect(errors[0]).toEqual(["hawser: the listener failed", fault])
  })
})

describe("a refused log-in", () => {
  it("is on the console with its cause, once a minute with the number since", async () => {
    const { clock, logIn, warnings } = createWorld({ authenticate: refused })
    for (let index = 0; index < 5; index += 1) await logIn("ann")
    const line =
      'hawser: a log-in from "memory" was refused with auth_token_invalid: The token is not valid. Cause: the cause of ann'
    expect(warnings).toEqual([line])
    await logIn("bob")
    expect(warnings).toHaveLength(2)
    await clock.advance(60_000)
    await logIn("ann")
    expect(warnings[2]).toBe(`${line} (5 times since the last such line)`)
  })

  it("does not flood the console with any number of causes", async () => {
    const { logIn, warnings } = createWorld({ authenticate: refused })
    for (let index = 0; index < 200; index += 1) await logIn(`stranger ${index}`)
    expect(warnings.length).toBeLessThanOrEqual(65)
  })

  it("is one cause if only values in its sentence differ, so that a cause of another kind still appears", async () => {
    const { logIn, warnings } = createWorld({
      authenticate: (token) => {
        const cause = new Error(
          token === "last" ? "another cause" : `the claim exp is ${token}, not "${token}"`,
        )
        throw new HawserError("auth_token_expired", { cause })
      },
    })
    for (let index = 0; index < 100; index += 1) await logIn(`17000${index}`)
    await logIn("last")
    expect(warnings).toHaveLength(2)
    expect(warnings[1]).toContain("Cause: another cause")
  })

  it("goes to onRefused, with the user once the token was verified", async () => {
    const refusals: LoginRefusal[] = []
    const { logIn, client, clock, warnings } = createWorld({
      authenticate: (token) => (token === "bad" ? refused(token) : { id: token }),
      limits: { sessionsPerUser: 1 },
      sessionPolicy: "oldestWins",
      onRefused: (refusal) => refusals.push(refusal),
    })
    await logIn("bad")
    client("ann")
      .connect()
      .catch(() => {})
    await clock.settle()
    await logIn("ann")
    expect(refusals).toMatchObject([
      { code: "auth_token_invalid", address: "memory", userId: undefined, count: 1 },
      { code: "too_many_connections", userId: "ann", cause: undefined, count: 1 },
    ])
    expect(refusals[0]?.cause).toHaveProperty("message", "the cause of bad")
    expect(warnings).toEqual([])
  })

  it("by a fault of authenticate is reported once, as an error", async () => {
    const { logIn, errors, warnings } = createWorld({
      authenticate: () => {
        throw new Error("the store is down")
      },
    })
    await logIn("ann")
    expect([errors.map((line) => firstLines(line)[0]), warnings]).toEqual([["hawser: the store is down"], []])
  })
})
