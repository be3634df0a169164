import { defineContract } from "@hawser/protocol"
import { indexCalls } from "@hawser/protocol/core"
import type { Schema } from "@hawser/protocol"
import { beforeEach, expect, it } from "vitest"
import { Atomic } from "../base/atomic.ts"
import { HandlerTable } from "./handler-table.ts"

const anything: Schema = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
}
const call = { input: anything, output: anything }
const contract = defineContract({
  name: "shop",
  commands: { buy: call, toString: call },
  queries: { look: call },
  events: {},
  streams: { watch: { input: anything, item: anything } },
})
const handler = (): object => ({})
let table: HandlerTable<unknown>

beforeEach(() => {
  table = new HandlerTable(contract.name, indexCalls(contract), new Atomic(() => {}))
})

it("names every call without a handler, and none once all have one", () => {
  table.set("command", "buy", handler)
  expect(() => table.assertComplete()).toThrow(new TypeError('no handler for "toString", "look", "watch"'))
  table.set("command", "toString", handler)
  table.set("query", "look", handler)
  table.set("stream", "watch", handler)
  expect(() => table.assertComplete()).not.toThrow()
  expect([...table.byName.keys()]).toEqual(["buy", "toString", "look", "watch"])
})

it.each([
  ["command", "look", "buy, toString"],
  ["query", "buy", "look"],
  ["query", "constructor", "look"],
  ["query", "watch", "look"],
  ["stream", "look", "watch"],
] as const)("refuses a %s %s, which the contract does not have", (kind, name, names) => {
  expect(() => table.set(kind, name, handler)).toThrow(
    new TypeError(`the contract "shop" has no ${kind} "${name}". Valid names: ${names}`),
  )
})

it("gives each call its lane, and an unknown one the ordered lane", () => {
  table.set("command", "buy", handler)
  table.set("command", "toString", { order: "none" }, handler)
  table.set("query", "look", { order: "session" }, handler)
  table.set("stream", "watch", { order: "none" }, handler)
  const lanes = ["buy", "toString", "look", "watch", "constructor"].map((name) => table.laneOf(name))
  expect(lanes).toEqual(["ordered", "free", "afterOrdered", "free", "ordered"])
})

it("refuses a handler that is no function, and another order", () => {
  // An application in JavaScript may pass anything.
  const untyped = (first: unknown, second: unknown): unknown => {
    const set: unknown = Reflect.get(table, "set")
    if (typeof set !== "function") throw new Error("there is no method `set`")
    return Reflect.apply(set, table, ["command", "buy", first, second])
  }
  expect(() => untyped(handler, {})).toThrow('the handler of the command "buy" must be a function, not ')
  expect(() => untyped({ ordr: "none" }, handler)).toThrow(
    'the command "buy" has no option "ordr". Did you mean "order"?',
  )
  expect(() => untyped({ order: "sorted" }, handler)).toThrow(
    new TypeError('order of the command "buy" must be "session" or "none", not "sorted"'),
  )
  expect(table.byName.size).toBe(0)
})

it("refuses a second handler and keeps the first", () => {
  table.set("command", "buy", { atomic: false }, handler)
  expect(() => table.set("command", "buy", () => ({}))).toThrow(
    new TypeError('the command "buy" has a handler already'),
  )
  expect(table.byName.get("buy")).toBe(handler)
})
