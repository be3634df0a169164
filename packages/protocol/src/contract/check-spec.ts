// Checks the shape of a contract that untyped code passes to `defineContract`: a misspelt member would otherwise declare nothing.
// Must not know rules between the parts of a contract.
import { assertGiven, assertOptionNames, assertOptions, assertType } from "../base/check-options.ts"
import type { OptionTable } from "../base/check-options.ts"
import { quoted } from "../base/quoted.ts"

/** Members of an object that untyped code passes. A member that a type of the contract gets needs its entry here. */
type Table = OptionTable<Record<string, unknown>>

const parts: Table = {
  name: "any",
  commands: "object",
  queries: "object",
  events: "object",
  streams: "object",
  replicas: "object",
  topics: "object",
  errors: "object",
}
const call: Table = { input: "any", output: "any", trustOutput: "boolean", limit: "object" }
const stream: Table = { input: "any", item: "any", trustOutput: "boolean", limit: "object" }
const event: Table = { payload: "any", trustOutput: "boolean", delivery: "any", key: "function" }
const limit: Table = { everyMs: "any", burst: "any" }
const topic: Table = { events: "any", presence: "any", replicas: "object" }

/** Members of a spec that hold schemas; true: the member is required. */
type Schemas = Readonly<Record<string, boolean>>

/**
 * Checks names and types of all members of a contract.
 * @throws TypeError that names an unknown member and the nearest valid one, or a member of the wrong type.
 */
export function assertSpec(spec: unknown): void {
  assertGiven("defineContract", spec, 'defineContract({ name: "game", commands: { … } })')
  assertOptions("defineContract", spec, parts)
  const name = memberOf(spec, "name")
  if (typeof name !== "string")
    throw new TypeError(`the name of a contract must be a text, not ${quoted(name)}`)
  const where = `contract "${name}"`
  const calls: Schemas = { input: false, output: false }
  assertSpecs(`${where}: command`, memberOf(spec, "commands"), call, calls)
  assertSpecs(`${where}: query`, memberOf(spec, "queries"), call, calls)
  assertSpecs(`${where}: stream`, memberOf(spec, "streams"), stream, { input: false, item: true })
  assertSpecs(`${where}: event`, memberOf(spec, "events"), event, { payload: true })
  assertSpecs(`${where}: topic`, memberOf(spec, "topics"), topic, { presence: false })
  for (const [key, kind] of entriesOf(memberOf(spec, "topics")))
    assertTopicEvents(`${where}: topic "${key}"`, kind)
  for (const [key, schema] of entriesOf(memberOf(spec, "errors")))
    if (schema !== null) assertSchema(`the details of error "${key}" of ${where}`, schema)
}

/** Checks the argument of `defineTopic`. @throws TypeError likewise. */
export function assertTopic(spec: unknown): void {
  assertGiven("defineTopic", spec, 'defineTopic({ events: ["said"] })')
  assertOptions("defineTopic", spec, topic)
  assertTopicEvents("defineTopic", spec)
}

function assertTopicEvents(where: string, spec: unknown): void {
  const events = memberOf(spec, "events")
  if (Array.isArray(events)) return
  throw new TypeError(`${where}: events must be a list of the names of events, not ${quoted(events)}`)
}

// oxlint-disable-next-line eslint/max-params -- one call for each part of a contract
function assertSpecs(where: string, specs: unknown, table: Table, schemas: Schemas): void {
  for (const [key, spec] of entriesOf(specs)) {
    const what = `${where} "${key}"`
    assertType(what, "object", spec)
    assertOptions(what, spec, table)
    assertOptionNames(`limit of ${what}`, memberOf(spec, "limit"), limit)
    for (const [member, isRequired] of Object.entries(schemas)) {
      const schema = memberOf(spec, member)
      if (schema !== undefined || isRequired) assertSchema(`${what}: ${member}`, schema)
    }
  }
}

function assertSchema(what: string, schema: unknown): void {
  const isHolder = (typeof schema === "object" || typeof schema === "function") && schema !== null
  if (isHolder && "~standard" in schema) return
  throw new TypeError(`${what} must be a schema, such as z.object({ … }), not ${quoted(schema)}`)
}

function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined
}

function entriesOf(specs: unknown): [string, unknown][] {
  return typeof specs === "object" && specs !== null ? Object.entries(specs) : []
}
