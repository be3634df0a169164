// Durable replicas in a journal: what is read is what was written, from each round on.
import { Buffer } from "node:buffer"
import {
  defaultServerLimits,
  defineReplica,
  defineTopic,
  flag,
  integer,
  optional,
  real,
  text,
} from "@hawser/protocol"
import type { ReplicaSpec } from "@hawser/protocol"
import { BitWriter, TypeTable } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Atomic } from "../base/atomic.ts"
import { createCodecs } from "../base/codecs.ts"
import { ReplicaStore } from "../replicas/replica-store.ts"
import { DurableReplicas } from "./durable-replicas.ts"
import { recordSpace } from "./journal-engine.ts"
import type { Noted } from "./journal.ts"
import type { KeptState } from "./kept-state.ts"
import { OperationWriter } from "./operations.ts"
import { Rebuild } from "./rebuild.ts"
import { readReplicas, restoreReplicas } from "./restore-replicas.ts"

const spec = defineReplica({
  fields: {
    x: integer({ min: 0, max: 65_535 }),
    heat: real({ min: -10, max: 10, step: 0.5 }),
    name: text(),
    note: optional(text()),
    on: flag(),
    count: integer(),
  },
  durable: true,
})

/** Stores of one process, and the records that it appends. */
class Process {
  readonly writer = new OperationWriter()
  readonly durable: DurableReplicas
  readonly #marked = new Set<Noted>()
  readonly #stores = new Map<string, ReplicaStore>()

  readonly #spec: ReplicaSpec

  constructor(shared: ReplicaSpec) {
    const { writer } = this
    this.#spec = shared
    this.durable = new DurableReplicas({
      mark: (noted) => void this.#marked.add(noted),
      note: (write) => write(writer),
    })
  }

  store(name: string, topic?: string): ReplicaStore {
    const key = `${topic} ${name}`
    const known = this.#stores.get(key)
    if (known !== undefined) return known
    const { codec } = createCodecs(new TypeTable(), defaultServerLimits)
    const options = {
      name,
      topic,
      number: 0,
      writer: new BitWriter(),
      limits: defaultServerLimits,
      codec,
      atomic: new Atomic(() => {}),
    }
    const store = new ReplicaStore({ ...options, spec: this.#spec, ledger: this.durable })
    this.#stores.set(key, store)
    return store
  }

  end(name: string): void {
    this.store(name).end()
    this.#stores.delete(`undefined ${name}`)
  }

  /** Ends the turn. Returns its record; undefined for a turn without one. */
  seal(): Buffer | undefined {
    for (const noted of this.#marked) noted.write(this.writer)
    this.#marked.clear()
    return this.writer.isEmpty ? undefined : Buffer.from(this.writer.take().subarray(recordSpace))
  }
}

type Records = readonly (readonly [id: string, record: unknown])[]
type Replicas = readonly (readonly [topic: string | undefined, name: string, records: Records])[]

function byId(records: Iterable<readonly [string, unknown]>): Records {
  return [...records].toSorted(([one], [other]) => (one < other ? -1 : 1))
}

function recordsOf(store: ReplicaStore): Records {
  return byId(store.entries())
}

function keptRecords({ replicas }: KeptState): Replicas {
  return [...replicas.values()]
    .filter(({ records }) => records.size > 0)
    .map(({ topic, name, schema, records }): Replicas[number] => {
      const read = [...records.values()].map(({ id, packed }): readonly [string, unknown] => [
        id,
        Object.fromEntries(
          schema.fields.map((named, place) => [named.name, named.field.unpack(packed[place])]),
        ),
      ])
      return [topic, name, byId(read)]
    })
    .toSorted(([, one], [, other]) => (one < other ? -1 : 1))
}

const values = fc.record({
  x: fc.integer({ min: 0, max: 65_535 }),
  heat: fc.integer({ min: -20, max: 20 }).map((half) => half / 2),
  name: fc.string({ unit: "grapheme", maxLength: 5 }),
  note: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
  on: fc.boolean(),
  count: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => n * 2 ** 19),
})
const ids = fc.constantFrom("a", "b", "c", "d", "é")
const names = fc.constantFrom("one", "two")
const deed = fc.oneof(
  fc.record({ kind: fc.constant("set"), name: names, id: ids, values }),
  fc.record({ kind: fc.constant("patch"), name: names, id: ids, values }),
  fc.record({ kind: fc.constant("remove"), name: names, id: ids, values }),
  fc.record({ kind: fc.constantFrom("seal", "step", "round", "end"), name: names, id: ids, values }),
)

describe("durable replicas in a journal", () => {
  it("are read as they were written, from the first record and from each whole round on", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const process = new Process(spec)
        const records: Buffer[] = []
        const roundStarts: number[] = [0]
        let round: Iterator<(writer: OperationWriter) => void, void> | undefined
        process.writer.round(1)
        process.writer.roundEnd()
        const seal = (): void => void records.push(...[process.seal() ?? []].flat())
        const step = (): void => {
          const next = round?.next()
          if (next?.done === false) next.value(process.writer)
          else if (next !== undefined) {
            round = undefined
            process.writer.roundEnd()
          }
        }
        for (const { kind, name, id, values: given } of deeds) {
          const store = process.store(name)
          if (kind === "set") store.set(id, given)
          else if (kind === "patch" && store.has(id)) store.patch(id, { x: given.x, note: given.note })
          else if (kind === "remove") store.remove(id)
          else if (kind === "end") process.end(name)
          else if (kind !== "patch") {
            seal()
            if (kind === "step") step()
            if (kind === "round" && round === undefined) {
              roundStarts.push(records.length)
              process.writer.round(1)
              round = process.durable.statements()
            }
          }
        }
        seal()
        while (round !== undefined) step()
        seal()
        const expected = ["one", "two"]
          .filter((name) => process.store(name).size > 0)
          .map((name) => [undefined, name, recordsOf(process.store(name))])
        for (const start of roundStarts) {
          const rebuild = new Rebuild()
          for (const body of records.slice(start)) rebuild.apply(body, 1)
          expect(keptRecords(rebuild.state)).toEqual(expected)
        }
      }),
      { numRuns: 300 },
    )
  })

  it("continue in the next process under the same numbers", () => {
    const first = new Process(spec)
    first.writer.round(1)
    first.writer.roundEnd()
    const whole = { x: 1, heat: 0.5, name: "n", note: undefined, on: true, count: -5 }
    first.store("one").set("a", whole)
    first.store("one", "board:7").set("b", whole)
    const rebuild = new Rebuild()
    rebuild.apply(first.seal() ?? Buffer.alloc(0), 1)
    const second = new Process(spec)
    const contract = {
      replicas: { one: spec },
      topics: { board: defineTopic({ events: [], replicas: { one: spec } }) },
    }
    const storeOf = (topic: string | undefined, name: string): ReplicaStore => second.store(name, topic)
    const read = readReplicas(rebuild.state, { contract, migrations: {}, storeOf })
    const note = (write: (writer: OperationWriter) => void): void => write(second.writer)
    expect(restoreReplicas(read, { durable: second.durable, journal: { note } })).toBe(2)
    expect(second.seal()).toBeUndefined()
    second.store("one").patch("a", { x: 2 })
    second.store("one").set("c", whole)
    second.store("two").set("d", whole)
    rebuild.apply(second.seal() ?? Buffer.alloc(0), 2)
    expect(keptRecords(rebuild.state)).toEqual([
      [
        undefined,
        "one",
        [
          ["a", { ...whole, x: 2 }],
          ["c", whole],
        ],
      ],
      ["board:7", "one", [["b", whole]]],
      [undefined, "two", [["d", whole]]],
    ])
  })
})
