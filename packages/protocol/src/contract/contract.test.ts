import { describe, expect, it } from "vitest"
import { z } from "zod"
import type { Schema } from "./schema.ts"
import { integer } from "./replica-field.ts"
import { defineReplica } from "./replica-schema.ts"
import { defineTopic } from "./topic-kind.ts"
import { contractTypes, indexCalls, indexEvents, reservedTypes } from "./contract-index.ts"
import { defineContract } from "./contract.ts"

const any: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
const call = { input: any, output: any }
const event = { payload: any }
const stream = { input: any, item: any }

describe("defineContract", () => {
  it.each(["move", "mapChunks", "a", "x2", "toString", "constructor", `a${"b".repeat(63)}`])(
    "takes the key %s",
    (key) => {
      expect(() => defineContract({ name: "c", commands: { [key]: call } })).not.toThrow()
    },
  )

  it.each([
    "",
    "Move",
    "map_chunks",
    "map-chunks",
    "2x",
    "$join",
    "#1",
    "é",
    "a b",
    "a\n",
    "__proto__x",
    `a${"b".repeat(64)}`,
  ])("refuses the key %j in every part", (key) => {
    const message = `contract "c": "${key}" must be camelCase letters and digits, 64 at most`
    expect(() => defineContract({ name: "c", commands: { [key]: call } })).toThrow(new TypeError(message))
    expect(() => defineContract({ name: "c", queries: { [key]: call } })).toThrow(new TypeError(message))
    expect(() => defineContract({ name: "c", events: { [key]: event } })).toThrow(new TypeError(message))
    expect(() => defineContract({ name: "c", streams: { [key]: stream } })).toThrow(new TypeError(message))
  })

  it("refuses the reserved name `authenticate`", () => {
    expect(() => defineContract({ name: "c", queries: { authenticate: call } })).toThrow(
      /is reserved by the protocol/,
    )
  })

  it.each([
    { commands: { move: call }, queries: { move: call } },
    { commands: { move: call }, events: { move: event } },
    { queries: { move: call }, events: { move: event } },
    { commands: { move: call }, streams: { move: stream } },
    { queries: { move: call }, streams: { move: stream } },
    { events: { move: event }, streams: { move: stream } },
  ])("refuses a key that is declared twice", (parts) => {
    expect(() => defineContract({ name: "c", ...parts })).toThrow(
      new TypeError('contract "c": "move" is declared twice'),
    )
  })

  it("refuses a conflation key on a reliable event", () => {
    const key = (): string => "k"
    expect(() => defineContract({ name: "c", events: { moved: { payload: any, key } } })).toThrow(
      /must be volatile/,
    )
    expect(() =>
      defineContract({ name: "c", events: { moved: { payload: any, delivery: "reliable", key } } }),
    ).toThrow(/must be volatile/)
    expect(() =>
      defineContract({ name: "c", events: { moved: { payload: any, delivery: "volatile", key } } }),
    ).not.toThrow()
  })

  it("takes an empty contract", () => {
    expect(defineContract({ name: "c" })).toMatchObject({
      name: "c",
      commands: {},
      queries: {},
      events: {},
      streams: {},
      replicas: {},
      topics: {},
    })
  })

  it("takes topics that name its events, with unique keys", () => {
    const chat = defineTopic({ events: ["moved"] })
    const events = { moved: event }
    expect(defineContract({ name: "c", events, topics: { chat } }).topics).toEqual({
      chat: { events: ["moved"], presence: undefined, replicas: {} },
    })
    // @ts-expect-error 2322: "moved"
    expect(() => defineContract({ name: "c", topics: { chat } })).toThrow(
      'contract "c": topic "chat" names "moved", which is not an event',
    )
    expect(() => defineContract({ name: "c", events, topics: { moved: chat } })).toThrow(/declared twice/)
    expect(() => defineContract({ name: "c", events, topics: { "chat:a": chat } })).toThrow(/camelCase/)
  })

  it("takes topics with replicas, whose names are unique within their kind only", () => {
    const cursors = defineReplica({ fields: { x: integer() } })
    const board = defineTopic({ events: [], replicas: { cursors } })
    const contract = defineContract({ name: "c", replicas: { cursors }, topics: { board, table: board } })
    expect(contract.topics).toEqual({
      board: { events: [], presence: undefined, replicas: { cursors } },
      table: { events: [], presence: undefined, replicas: { cursors } },
    })
    const badName = defineTopic({ events: [], replicas: { "my cursors": cursors } })
    expect(() => defineContract({ name: "c", topics: { badName } })).toThrow(
      'contract "c": "my cursors" must be camelCase',
    )
    // @ts-expect-error 2769: "replicas"
    expect(() => defineTopic({ events: [], replica: { cursors } })).toThrow(
      'defineTopic has no option "replica". Did you mean "replicas"?',
    )
    // @ts-expect-error 2769: replicas is an object
    expect(() => defineTopic({ events: [], replicas: [cursors] })).toThrow(
      "the option replicas of defineTopic must be an object",
    )
  })
})

describe("schemas of events and presence states", () => {
  const late = z.string().refine(async () => true)
  const presence = defineTopic({ events: [], presence: late })

  it("are refused if they are asynchronous", () => {
    expect(() => defineContract({ name: "c", events: { moved: { payload: late } } })).toThrow(
      new TypeError(
        'the schema of event "moved" of contract "c" returned a promise; it must validate synchronously, and must not throw',
      ),
    )
    expect(() => defineContract({ name: "c", topics: { chat: presence } })).toThrow(
      new TypeError(
        'the schema of presence of topic "chat" of contract "c" returned a promise; it must validate synchronously, and must not throw',
      ),
    )
  })

  it.each([undefined, null, "", 0, true, {}, []])("are found by the value %j", (only) => {
    const validate = (value: unknown): ReturnType<Schema["~standard"]["validate"]> =>
      JSON.stringify(value) === JSON.stringify(only) ? Promise.reject(new Error("late")) : { value }
    const payload: Schema = { "~standard": { version: 1, vendor: "test", validate } }
    expect(() => defineContract({ name: "c", events: { moved: { payload } } })).toThrow(/returned a promise/)
  })

  it("may throw", () => {
    const validate = (): never => {
      throw new Error("a validator that fails")
    }
    const payload: Schema = { "~standard": { version: 1, vendor: "test", validate } }
    expect(() => defineContract({ name: "c", events: { moved: { payload } } })).not.toThrow()
  })

  it("are those of events and presence states alone", () => {
    const call = { input: late, output: late }
    expect(() =>
      defineContract({ name: "c", commands: { a: call }, streams: { b: { input: late, item: late } } }),
    ).not.toThrow()
  })
})

describe("look-ups", () => {
  const contract = defineContract({
    name: "c",
    commands: { move: call },
    queries: { map: call },
    events: { moved: event },
    streams: { count: stream },
  })

  it("list the types in the order of the wire: reserved, commands, queries, events, streams", () => {
    expect(contractTypes(contract)).toEqual([...reservedTypes, "move", "map", "moved", "count"])
  })

  it("find calls with their kind and events, and nothing else", () => {
    expect(indexCalls(contract).get("move")).toEqual({ call: "command", spec: call })
    expect(indexCalls(contract).get("map")).toEqual({ call: "query", spec: call })
    expect(indexCalls(contract).get("count")).toEqual({ call: "stream", spec: stream })
    expect(indexEvents(contract).get("moved")).toBe(event)
    for (const name of ["moved", "toString", "__proto__", "constructor", "$join"]) {
      expect(indexCalls(contract).get(name), name).toBeUndefined()
    }
    expect(indexEvents(contract).get("toString")).toBeUndefined()
  })
})
