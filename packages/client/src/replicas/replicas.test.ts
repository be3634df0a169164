// Epochs at the client: the cells that it names in HAVE, and the records that it shows and reports.
import { integer, text } from "@hawser/protocol"
import {
  BitWriter,
  ReplicaSchema,
  encodePlace,
  encodeSnapshot,
  partKind,
  serverMessageLimits,
} from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { Replicas } from "./replicas.ts"
import type { ShownReplica } from "./replicas.ts"

const fields = { points: integer() }
const schema = ReplicaSchema.of(fields)

const options = {
  clock: new SimulatedClock(),
  wallClockMs: () => 1_000_000,
  onError: (error: unknown) => {
    throw error
  },
}

function newReplicas() {
  const replicas = new Replicas({ ...options, replicas: { scores: { fields } }, copyOf: () => undefined })
  const events: string[] = []
  replicas.get("scores")?.subscribe((update) => {
    for (const { kind, id, record } of update.events)
      events.push(`${kind} ${id} ${JSON.stringify(Object.values(record))}`)
  })
  return { replicas, events }
}

function describeScores(replicas: Replicas, epoch: string | undefined, of = schema): void {
  const epochOf = epoch === undefined ? {} : { epoch }
  replicas.describe({ kind: "replica", replica: 0, name: "scores", schema: of.shape, ...epochOf })
}

/** A fresh frame with these records as the only cell. */
function snapshot(version: number, records: Readonly<Record<string, number>>) {
  const body = encodeSnapshot(new BitWriter(), schema, {
    x: 0,
    y: 0,
    version,
    isFirst: true,
    records: Object.entries(records).map(([id, points], slot) => ({
      slot,
      id,
      record: [points],
      before: [points],
    })),
  })
  return { kind: "replicaParts" as const, bytes: Uint8Array.from([0x82, 1, partKind.snapshot, ...body]) }
}

/** A fresh frame that keeps cell 0,0. */
const keep = {
  kind: "replicaParts" as const,
  bytes: Uint8Array.from([0x82, 1, partKind.keep, ...encodePlace(new BitWriter(), { x: 0, y: 0 })]),
}

const firstCell = { x: 0, y: 0, version: 7 }

describe("Replicas", () => {
  it.each(["one", undefined])("names the epoch from REPLICA in HAVE: %s", (epoch) => {
    const { replicas } = newReplicas()
    describeScores(replicas, epoch)
    replicas.receive(snapshot(7, { ann: 1 }))
    replicas.detach(0)
    expect(replicas.held(serverMessageLimits)).toEqual([
      { replica: "scores", ...(epoch === undefined ? {} : { epoch }), cells: [firstCell] },
    ])
  })

  it("keeps its cells when another connection names the same epoch", () => {
    const { replicas, events } = newReplicas()
    describeScores(replicas, "one")
    replicas.receive(snapshot(7, { ann: 1 }))
    replicas.detach(0)
    describeScores(replicas, "one")
    replicas.receive(keep)
    expect(replicas.get("scores")?.get("ann")).toEqual({ points: 1 })
    expect(events).toEqual(["enter ann [1]"])
  })

  it.each([
    ["one", "two"],
    ["one", undefined],
    [undefined, "two"],
  ])("names no cell of an earlier epoch, and shows its records until the next snapshot", (before, after) => {
    const { replicas, events } = newReplicas()
    describeScores(replicas, before)
    replicas.receive(snapshot(7, { ann: 1, old: 1 }))
    replicas.detach(0)
    describeScores(replicas, after)
    expect(replicas.held(serverMessageLimits)).toMatchObject([{ cells: [] }])
    expect([...(replicas.get("scores")?.ids() ?? [])]).toEqual(["ann", "old"])
    // Also if the connection is lost before the snapshot.
    replicas.detach(0)
    describeScores(replicas, after)
    expect(replicas.held(serverMessageLimits)).toMatchObject([{ cells: [] }])
    expect(() => replicas.receive(keep)).toThrow(RangeError)
    replicas.receive(snapshot(7, { ann: 2, new: 2 }))
    expect(replicas.held(serverMessageLimits)).toMatchObject([{ cells: [firstCell] }])
    expect(events.slice(2).toSorted()).toEqual(["change ann [2]", "enter new [2]", "leave old [1]"])
  })

  it("reports the records of other fields as gone", () => {
    const { replicas, events } = newReplicas()
    describeScores(replicas, "one")
    replicas.receive(snapshot(7, { ann: 1 }))
    replicas.detach(0)
    describeScores(replicas, "two", ReplicaSchema.of({ ...fields, name: text() }))
    expect(events).toEqual(["enter ann [1]", "leave ann [1]"])
    expect(replicas.get("scores")?.size).toBe(0)
    expect(replicas.held(serverMessageLimits)).toEqual([{ replica: "scores", epoch: "two", cells: [] }])
  })
})

describe("onStale", () => {
  it("reports once that the copy is outdated, with the time of the last message, and that it is current", () => {
    const { replicas } = newReplicas()
    const copy = replicas.get("scores")
    const changes: unknown[] = []
    copy?.onStale((change) => changes.push(change))
    describeScores(replicas, "a")
    replicas.receive(snapshot(1, { ann: 1 }))
    replicas.detach(-400)
    replicas.detach(-100)
    expect(changes).toEqual([{ kind: "fresh" }, { kind: "stale", heardAtMs: 999_600 }])
    expect(copy?.stale).toBe(true)
  })

  it("comes after a snapshot with the same time, which is gone with the next update", () => {
    const { replicas } = newReplicas()
    const copy = replicas.get("scores")
    expect(copy?.snapshot()).toMatchObject({ stale: true, heardAtMs: undefined })
    describeScores(replicas, "a")
    replicas.receive(snapshot(1, { ann: 1 }))
    const times: unknown[] = []
    copy?.subscribe(() => times.push(copy.snapshot().heardAtMs))
    replicas.detach(-400)
    describeScores(replicas, "a")
    replicas.receive(snapshot(1, { ann: 1 }))
    expect(times).toEqual([999_600, undefined])
  })
})

describe("copies of topics", () => {
  setFlagsFromString("--expose-gc")

  function newCopy() {
    const kept: { copy?: ShownReplica } = {}
    const replicas = new Replicas({
      ...options,
      replicas: {},
      copyOf: (topic, name) => (topic === "board:7" && name === "cursors" ? kept.copy : undefined),
    })
    kept.copy = replicas.make({ topic: "board:7", name: "cursors", spec: { fields }, onUse: () => {} })
    const replica = { kind: "replica", replica: 5, schema: schema.shape, epoch: "e1" } as const
    replicas.describe({ ...replica, name: "cursors", topic: "board:8" })
    replicas.describe({ ...replica, name: "scores", topic: "board:7" })
    expect(replicas.held(serverMessageLimits)).toEqual([])
    replicas.describe({ ...replica, name: "cursors", topic: "board:7" })
    return { replicas, kept, copy: kept.copy }
  }

  it("are named in HAVE by topic and name, until they are cleared", () => {
    const { replicas, copy } = newCopy()
    expect(replicas.held(serverMessageLimits)).toEqual([
      { replica: "cursors", topic: "board:7", epoch: "e1", cells: [] },
    ])
    replicas.clear(copy)
    expect(replicas.held(serverMessageLimits)).toEqual([])
  })

  it("are not held after they are cleared", async () => {
    const { replicas, kept } = newCopy()
    const copy = (): ShownReplica => {
      if (kept.copy === undefined) throw new Error("the copy is gone")
      return kept.copy
    }
    const held = new WeakRef(copy())
    replicas.clear(copy())
    delete kept.copy
    // A WeakRef holds its target until the turn in which it was read is over.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    runInNewContext("gc()")
    expect(held.deref()).toBeUndefined()
    expect(replicas.held(serverMessageLimits)).toEqual([])
  })
})
