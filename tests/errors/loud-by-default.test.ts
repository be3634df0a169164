// Defaults of `onError` and `onRefused`: faults and refused log-ins appear on the console with their cause, and no peer can
// flood it.
import { createClient } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { AuthenticatedUser, LoginRefusal, ServerOptions } from "@hawser/server"
import { afterEach, describe, expect, it, vi } from "vitest"
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
    expect(errors).toEqual(Array.from({ length: 10 }, () => [sentence, fault]))
    await clock.advance(60_000)
    ann.command("move", {}).catch(() => {})
    await clock.settle()
    expect(errors[10]).toEqual([`${sentence} (16 times since the last such line)`, fault])
  })
})

describe("a fault of a listener at the client", () => {
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
    expect([errors.map(([line]) => line), warnings]).toEqual([["hawser: the store is down"], []])
  })
})
