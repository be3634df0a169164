// Lookup of a contract's calls and events by name, and the order of its names on the wire. Must not know frames or sessions.
import type { CallKind, CallSpec, Contract, EventSpec, StreamSpec } from "./contract.ts"

/** Requests and events of the topics layer. They are the first entries of every table of type names. */
export const reservedTypes = ["$join", "$leave", "$publish", "$presence"] as const

/** Returns all type names of a contract in the order of the wire's type table. */
export function contractTypes(contract: Contract): string[] {
  const names = [
    ...Object.keys(contract.commands),
    ...Object.keys(contract.queries),
    ...Object.keys(contract.events),
    ...Object.keys(contract.streams),
  ]
  return [...reservedTypes, ...names]
}

/** A request of a contract: its kind and its schemas. */
export type CallEntry =
  | { readonly call: CallKind; readonly spec: CallSpec }
  | { readonly call: "stream"; readonly spec: StreamSpec }

/** Returns the requests of a contract by name. A Map, so that names such as `toString` or `__proto__` find nothing. */
export function indexCalls(contract: Contract): ReadonlyMap<string, CallEntry> {
  const commands = Object.entries(contract.commands).map(
    ([name, spec]) => [name, { call: "command", spec }] as const,
  )
  const queries = Object.entries(contract.queries).map(
    ([name, spec]) => [name, { call: "query", spec }] as const,
  )
  const streams = Object.entries(contract.streams).map(
    ([name, spec]) => [name, { call: "stream", spec }] as const,
  )
  return new Map<string, CallEntry>([...commands, ...queries, ...streams])
}

/** Returns the events of a contract by name. */
export function indexEvents(contract: Contract): ReadonlyMap<string, EventSpec> {
  return new Map(Object.entries(contract.events))
}
