// Schemas run once, at the server: inputs, publications and states on arrival; results, items and payloads before they leave.
// The validated value travels. Calls may lack an input or an output.
import { createClient, defineTopic } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError, defineContract, encodeOnce, encodedMap } from "@hawser/protocol"
import type { Encoded, Schema } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { ServerOptions } from "@hawser/server"
import { profile20 } from "@hawser/server/profile20"
import { beforeEach, describe, expect, it } from "vitest"
import { z } from "zod"
import { clientProfile } from "../sessions/client-profile.ts"

/** Runs of each schema, by name. */
const runs = new Map<string, number>()
beforeEach(() => runs.clear())

/** A schema that trims `name`, drops other members, and counts its runs. */
function person(name: string): Schema<{ name: string }> {
  const schema = z.object({ name: z.string().trim() })
  const validate = (value: unknown): ReturnType<Schema<{ name: string }>["~standard"]["validate"]> => {
    const isProbe = typeof value !== "object" || value === null || !("name" in value)
    if (!isProbe) runs.set(name, (runs.get(name) ?? 0) + 1)
    return schema["~standard"].validate(value)
  }
  return { "~standard": { version: 1, vendor: "test", validate } }
}

const late = z.object({ name: z.string() }).refine(async ({ name }) => name !== "refused")
/** Synchronous for the values that `defineContract` tries. */
const lateForNames: Schema<{ name: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      z.object({ name: z.string() }).safeParse(value).success
        ? Promise.resolve({ value: { name: "" } })
        : { issues: [] },
  },
}
const moved = person("moved")
const heldNames: string[] = []

const contract = defineContract({
  name: "validation",
  commands: {
    make: { input: z.unknown(), output: person("result") },
    trusted: { input: z.unknown(), output: person("trusted"), trustOutput: true },
    later: { input: late, output: late },
    take: { input: person("input"), output: z.unknown() },
    ping: {},
    note: { input: z.string() },
    maybe: { input: z.string().optional(), output: z.string().optional() },
  },
  queries: { online: { output: z.array(z.string()) } },
  streams: {
    watch: { item: person("item") },
    watchLate: { item: late },
    rest: { input: z.undefined(), item: z.string().optional() },
  },
  events: {
    met: { payload: person("met") },
    moved: {
      payload: moved,
      delivery: "volatile",
      key: ({ name }) => {
        heldNames.push(name)
        return name
      },
    },
    pushed: { payload: person("pushed"), trustOutput: true },
    late: { payload: lateForNames },
    tick: { payload: z.undefined() },
  },
  topics: { room: defineTopic({ events: ["met", "moved"], presence: person("state") }) },
})
type Validation = Client<typeof contract>
type Options = Partial<ServerOptions<typeof contract, { readonly id: string }, boolean>>

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

const row = { name: " ann ", passwordHash: "secret" }
// @ts-expect-error 2322: a name is text
const wrong: { name: string } = { name: 7 }

function createScene(profile: Profile = "hawser.1", options: Options = {}) {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  const inputs: unknown[] = []
  const made = {
    make: (): { name: string } | Encoded<{ name: string }> => row,
    item: (): { name: string } => row,
    handled: 0,
    left: 0,
    inputs,
  }
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate: (token) => ({ id: token }),
    clock,
    onError: (error) => errors.push(error),
    ...options,
  })
  const make = (): { name: string } | Encoded<{ name: string }> => {
    made.handled += 1
    return made.make()
  }
  server.command("make", make)
  server.command("trusted", make)
  server.command("later", make)
  server.command("take", ({ input }) => input)
  server.command("ping", ({ input }) => {
    made.inputs.push(input)
    return "discarded"
  })
  server.command("note", async ({ input }) => input.length)
  server.command("maybe", ({ input }) => {
    made.inputs.push(input)
    return input
  })
  server.query("online", () => ["ann"])
  server.stream("watch", async function* () {
    try {
      yield { name: "first" }
      yield made.item()
      yield { name: "last" }
    } finally {
      made.left += 1
    }
  })
  server.stream("watchLate", () => [{ name: "first" }, { name: "refused" }])
  server.stream("rest", () => ["a", undefined])
  server.topicKind("room", { canJoin: () => true, canPublish: () => true, history: {} })
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
  const clientErrors: unknown[] = []
  const open = async (token: string, overrides: Partial<ClientOptions> = {}): Promise<Validation> => {
    const client = createClient(contract, {
      url: "memory:",
      token,
      ...clientProfile(profile),
      clock,
      random: seededRandom(1),
      dial: network.dial,
      autoConnect: false,
      onError: (error) => clientErrors.push(error),
      ...overrides,
    })
    const connected = client.connect()
    await clock.advance(50)
    await connected
    return client
  }
  const settled = async <T>(promise: Promise<T>): Promise<unknown> => {
    const outcome = promise.catch((error: unknown) => error)
    await clock.advance(100)
    return outcome
  }
  return { clock, server, errors, clientErrors, made, open, settled }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const profiles: readonly Profile[] = ["hawser.1", "2.0"]

describe.each(profiles)("a result in %s", (profile) => {
  it("is the validated one, without the members that the schema lacks, and the schema runs once", async () => {
    const { open, settled } = createScene(profile)
    const ann = await open("ann")
    expect(await settled(ann.command("make", {}))).toEqual({ name: "ann" })
    expect(runs.get("result")).toBe(1)
  })

  it("that does not fit reaches `onError` with its issues, and the caller gets `sys_internal_error`", async () => {
    const { errors, made, open, settled } = createScene(profile)
    const ann = await open("ann")
    made.make = () => wrong
    expect(await settled(ann.command("make", {}))).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toMatchObject([
      {
        message: matching(/^the result of "make" cannot be sent$/),
        cause: { code: "invalid_input", details: { issues: [{ path: "name" }] } },
      },
    ])
  })

  it("may have an asynchronous schema", async () => {
    const { errors, made, open, settled } = createScene(profile)
    const ann = await open("ann")
    made.make = () => ({ name: "bob" })
    expect(await settled(ann.command("later", { name: "x" }))).toEqual({ name: "bob" })
    made.make = () => ({ name: "refused" })
    expect(await settled(ann.command("later", { name: "x" }))).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toHaveLength(1)
    expect(await settled(ann.command("later", { name: "refused" }))).toMatchObject({ code: "invalid_input" })
  })

  it("is sent as it is where it is trusted", async () => {
    const { made, open, settled } = createScene(profile)
    const ann = await open("ann")
    expect(await settled(ann.command("trusted", {}))).toEqual(row)
    made.make = () => encodedMap({ name: "composed" })
    expect(await settled(ann.command("trusted", {}))).toEqual({ name: "composed" })
    expect(runs.get("trusted")).toBeUndefined()
    const trusting = createScene(profile, { trustOutput: true })
    const bob = await trusting.open("bob")
    expect(await trusting.settled(bob.command("make", {}))).toEqual(row)
    expect(await trusting.settled(bob.command("take", row))).toEqual({ name: "ann" })
  })

  it("that is encoded once is not validated again, and another encoding is refused with advice", async () => {
    const { errors, made, open, settled } = createScene(profile)
    const ann = await open("ann")
    const once = encodeOnce(contract.commands.make.output, row)
    made.make = () => once
    expect(await settled(ann.command("make", {}))).toEqual({ name: "ann" })
    expect(runs.get("result")).toBe(1)
    made.make = () => encodedMap({ name: "composed" })
    expect(await settled(ann.command("make", {}))).toMatchObject({ code: "sys_internal_error" })
    made.make = () => encodeOnce(person("other"), row)
    expect(await settled(ann.command("make", {}))).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toMatchObject([
      {
        cause: {
          message: matching(/a composition that no schema has validated: use encodeOnce/),
        },
      },
      {
        cause: { message: matching(/of another schema: use encodeOnce .*, or set trustOutput/) },
      },
    ])
  })

  it("runs the schema of the input once, before the handler", async () => {
    const { open, settled } = createScene(profile)
    const ann = await open("ann")
    expect(await settled(ann.command("take", row))).toEqual({ name: "ann" })
    expect(runs.get("input")).toBe(1)
    expect(await settled(ann.command("take", wrong))).toMatchObject({
      code: "invalid_input",
      details: { issues: [{ path: "name" }] },
    })
  })
})

it("remembers a result that does not fit, so that its command is not executed twice", async () => {
  const { errors, made, open, settled } = createScene()
  const ann = await open("ann")
  made.make = () => wrong
  for (const _ of [1, 2])
    expect(await settled(ann.command("make", {}, { key: "k" }))).toMatchObject({ code: "sys_internal_error" })
  expect([made.handled, errors.length]).toEqual([1, 1])
})

describe("an item of a stream", () => {
  it("is the validated one", async () => {
    const { made, open, settled } = createScene()
    const ann = await open("ann")
    const items = await settled(all(ann.stream("watch")))
    expect(items).toEqual([{ name: "first" }, { name: "ann" }, { name: "last" }])
    expect([runs.get("item"), made.left]).toEqual([3, 1])
  })

  it("that does not fit ends the stream and its source", async () => {
    const { errors, made, open, settled } = createScene()
    const ann = await open("ann")
    made.item = () => wrong
    const items = ann.stream("watch")
    expect(await settled(items.next())).toEqual({ value: { name: "first" }, done: false })
    expect(await settled(items.next())).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toMatchObject([
      { message: 'an item of "watch" cannot be sent', cause: { details: { issues: [{ path: "name" }] } } },
    ])
    expect(made.left).toBe(1)
  })

  it("may have an asynchronous schema", async () => {
    const { errors, open, settled } = createScene()
    const ann = await open("ann")
    const items = ann.stream("watchLate")
    expect(await settled(items.next())).toEqual({ value: { name: "first" }, done: false })
    expect(await settled(items.next())).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toHaveLength(1)
  })
})

describe("a payload of the server", () => {
  it.each(profiles)(
    "is validated once for all recipients of %s, and the validated one is sent",
    async (profile) => {
      const { clock, server, open } = createScene(profile)
      const received: unknown[] = []
      for (const name of ["ann", "bob"]) (await open(name)).on("met", (payload) => received.push(payload))
      const [session] = server.local.sessions()
      server.broadcast("met", row)
      server.multicast(server.local.sessions(), "met", row)
      session?.send("met", row)
      for (const one of server.local.sessions()) server.topic("room:any").subscribe(one)
      server.topic("room:any").publish("met", row)
      await clock.advance(50)
      expect(received).toEqual(Array.from({ length: 7 }, () => ({ name: "ann" })))
      expect(runs.get("met")).toBe(4)
    },
  )

  it("that does not fit is refused at the call, and reaches no client", async () => {
    const { clock, server, open } = createScene()
    const ann = await open("ann")
    const received: unknown[] = []
    ann.on("met", (payload) => received.push(payload))
    await Promise.all([ann.topic("room:a").join({ state: { name: "ann" } }), clock.advance(50)])
    const [session] = server.local.sessions()
    const calls = [
      () => server.broadcast("met", wrong),
      () => server.multicast([], "met", wrong),
      () => server.topic("room:a").publish("met", wrong),
      () => server.topic("room:nobody").publish("met", wrong),
      () => server.topic("room:nobody").publish("moved", wrong),
      () => session?.send("met", wrong),
    ]
    for (const call of calls) {
      let thrown: unknown
      try {
        call()
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({
        code: "invalid_input",
        message: matching(/^the event "(met|moved)" cannot be sent: name: .*string/),
        details: { path: "name", issues: [{ path: "name" }] },
      })
    }
    server.topic("room:a").publish("met", { name: "bob" })
    await clock.advance(50)
    expect(received).toEqual([{ name: "bob" }])
    expect(ann.topic("room:a").position?.offset).toBe(1)
  })

  it("that does not fit is the fault of the handler that sent it", async () => {
    const { errors, made, server, open, settled } = createScene()
    const ann = await open("ann")
    made.make = () => {
      server.broadcast("met", wrong)
      return row
    }
    expect(await settled(ann.command("make", {}))).toMatchObject({ code: "sys_internal_error" })
    expect(errors).toMatchObject([{ cause: { code: "invalid_input" } }])
  })

  it("is sent as it is where it is trusted", async () => {
    const { clock, server, open } = createScene()
    const ann = await open("ann")
    const received: unknown[] = []
    ann.on("pushed", (payload) => received.push(payload))
    server.broadcast("pushed", row)
    server.broadcast("pushed", encodedMap({ name: "composed" }))
    await clock.advance(50)
    expect(received).toEqual([row, { name: "composed" }])
    expect(runs.get("pushed")).toBeUndefined()
  })

  it("gives its conflation key the validated value", () => {
    const { server } = createScene()
    heldNames.length = 0
    server.broadcast("moved", row)
    expect(heldNames).toEqual(["ann"])
  })

  it("is not sent twice encoded by another schema", () => {
    const { server } = createScene()
    expect(() => server.broadcast("met", encodedMap({ name: "ann" }))).toThrow(TypeError)
    expect(() => server.broadcast("met", encodeOnce(moved, row))).toThrow(/of another schema/)
    server.broadcast("met", encodeOnce(contract.events.met.payload, row))
    expect(runs.get("met")).toBe(1)
  })

  it("of a schema that is found asynchronous is refused at the call", () => {
    const { server } = createScene()
    expect(() => server.broadcast("late", { name: "ann" })).toThrow(
      new TypeError(
        'the schema of event "late" returned a promise; it must validate synchronously, and must not throw',
      ),
    )
  })
})

describe("a publication of a client", () => {
  it("is validated on arrival, once, and reaches the others validated", async () => {
    const { clock, open } = createScene()
    const ann = await open("ann")
    const bob = await open("bob")
    const received: unknown[] = []
    bob.topic("room:a").on("met", (payload) => received.push(payload))
    await Promise.all([bob.topic("room:a").join({ state: { name: "bob" } }), clock.advance(50)])
    await Promise.all([ann.topic("room:a").publish("met", row), clock.advance(50)])
    expect(received).toEqual([{ name: "ann" }])
    expect(runs.get("met")).toBe(1)
    const refused = ann
      .topic("room:a")
      .publish("met", wrong)
      .catch((error: unknown) => error)
    await clock.advance(50)
    expect(await refused).toMatchObject({ code: "invalid_input", details: { issues: [{ path: "name" }] } })
  })

  it("shows the validated state, and the schema runs once for each state", async () => {
    const { clock, open } = createScene()
    const ann = await open("ann")
    const bob = await open("bob")
    await Promise.all([ann.topic("room:a").join({ state: row }), clock.advance(100)])
    await Promise.all([bob.topic("room:a").join({ state: { name: "bob" } }), clock.advance(100)])
    const states = (): unknown[] => [...bob.topic("room:a").presence].map(({ state }) => state)
    expect(states()).toEqual([{ name: "ann" }, { name: "bob" }])
    await Promise.all([ann.topic("room:a").setState({ name: " eve " }), clock.advance(100)])
    expect(states()).toEqual([{ name: "eve" }, { name: "bob" }])
    expect(runs.get("state")).toBe(3)
  })
})

describe("the client", () => {
  it("validates nothing, because the server has done it", async () => {
    const { clock, made, server, open, settled } = createScene("hawser.1", { trustOutput: true })
    const ann = await open("ann")
    const received: unknown[] = []
    ann.on("met", (payload) => received.push(payload))
    server.broadcast("met", wrong)
    made.make = () => wrong
    expect(await settled(ann.command("make", {}))).toEqual(wrong)
    made.item = () => wrong
    const items = await settled(all(ann.stream("watch")))
    await clock.advance(50)
    expect(items).toContainEqual(wrong)
    expect(received).toEqual([wrong])
    expect(runs.size).toBe(0)
  })

  it("validates everything with `validateReplies`", async () => {
    const { clientErrors, clock, made, server, open, settled } = createScene("hawser.1", {
      trustOutput: true,
    })
    const ann = await open("ann", { validateReplies: true })
    const received: unknown[] = []
    ann.on("met", (payload) => received.push(payload))
    server.broadcast("met", wrong)
    server.broadcast("met", row)
    made.make = () => wrong
    expect(await settled(ann.command("make", {}))).toMatchObject({ code: "invalid_reply" })
    made.make = () => row
    expect(await settled(ann.command("make", {}))).toEqual({ name: "ann" })
    made.item = () => wrong
    const items = ann.stream("watch")
    expect(await settled(items.next())).toEqual({ value: { name: "first" }, done: false })
    expect(await settled(items.next())).toMatchObject({ code: "invalid_reply" })
    await clock.advance(50)
    expect(received).toEqual([{ name: "ann" }])
    expect(clientErrors).toMatchObject([{ code: "invalid_reply" }])
  })
})

describe.each(profiles)("a call without input or output in %s", (profile) => {
  it("has neither at either end", async () => {
    const { made, open, settled } = createScene(profile)
    const ann = await open("ann")
    expect(await settled(ann.query("online"))).toEqual(profile === "2.0" ? { value: ["ann"] } : ["ann"])
    expect(await settled(ann.command("ping"))).toBeUndefined()
    expect(await settled(ann.command("ping", undefined, { timeoutMs: 500 }))).toBeUndefined()
    expect(made.inputs).toEqual([undefined, undefined])
  })

  it("refuses an input", async () => {
    const { made, open, settled } = createScene(profile)
    const ann = await open("ann")
    // @ts-expect-error 2345: there is no input
    expect(await settled(ann.command("ping", { a: 1 }))).toMatchObject({
      code: "invalid_input",
      message: '"ping" takes no input; send none',
    })
    expect(made.inputs).toEqual([])
    // @ts-expect-error 2345: there is no input
    const empty = await settled(ann.command("ping", {}))
    if (profile === "2.0") expect(empty).toBeUndefined()
    else expect(empty).toMatchObject({ code: "invalid_input" })
  })
})

it("discards the result of a call without output", async () => {
  const { open, settled } = createScene()
  const ann = await open("ann")
  expect(await settled(ann.command("note", "hello"))).toBeUndefined()
})

it("carries an absent input, result, item and payload as undefined", async () => {
  const { clock, made, server, open, settled } = createScene()
  const ann = await open("ann")
  expect(await settled(ann.command("maybe"))).toBeUndefined()
  expect(await settled(ann.command("maybe", "here"))).toBe("here")
  expect(made.inputs).toEqual([undefined, "here"])
  const items = await settled(all(ann.stream("rest")))
  expect(items).toEqual(["a", undefined])
  const received: unknown[] = []
  ann.on("tick", (payload) => received.push(payload))
  server.broadcast("tick", undefined)
  await clock.advance(50)
  expect(received).toEqual([undefined])
})

it("gives the translations of `2.0` validated values", async () => {
  const seen: unknown[] = []
  const translations = profile20<typeof contract, { readonly id: string }>({
    replies: {
      make: (output) => {
        seen.push(output)
        return output
      },
    },
    events: {
      met: (payload) => {
        seen.push(payload)
        return [{ name: "met", payload }]
      },
    },
  })
  const { server, open, settled } = createScene("2.0", { profile20: translations })
  const ann = await open("ann")
  await settled(ann.command("make", {}))
  server.broadcast("met", row)
  expect(seen).toEqual([{ name: "ann" }, { name: "ann" }])
})

it("names a wrong payload as an error of Hawser", () => {
  const { server } = createScene()
  let thrown: unknown
  try {
    server.broadcast("met", wrong)
  } catch (error) {
    thrown = error
  }
  expect(HawserError.is(thrown)).toBe(true)
})
