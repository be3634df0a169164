// Epochs at the server: the epoch in REPLICA, and the cells that it accepts as held after a resume.
import { defaultServerLimits, integer } from "@hawser/protocol"
import { ReplicaSchema, TimerQueue, TypeTable, readReplicaFrame } from "@hawser/protocol/core"
import type { Frame, OutboundMessage, ReplicaHold } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { Atomic } from "../base/atomic.ts"
import { createCodecs } from "../base/codecs.ts"
import { ServerCounters } from "../base/counters.ts"
import type { StateSource } from "../session/conversation/state-source.ts"
import { Replicas } from "./replicas.ts"
import type { ViewingSession } from "./replicas.ts"

const spec = { fields: { points: integer() } }

/** Returns replicas with one record, and a session that views them. */
function newViewer(topic?: string) {
  const clock = new SimulatedClock()
  const onError = (error: unknown): void => {
    throw error
  }
  const { codec, sentCodec } = createCodecs(new TypeTable(), defaultServerLimits)
  const replicas = new Replicas({
    contract: { name: "test", replicas: { scores: spec }, topics: {} },
    atomic: new Atomic(onError),
    codec,
    clock,
    timers: new TimerQueue(clock, onError),
    counters: new ServerCounters(),
    limits: defaultServerLimits,
    onError,
  })
  const sent: OutboundMessage[] = []
  let source: StateSource | undefined
  const session: ViewingSession = {
    attached: true,
    dialect: { profile: "hawser.1" },
    takesState: () => true,
    sendState: (message) => sent.push(message) > 0,
    pumpValues() {},
    show: (shown) => void (source = shown),
  }
  const open = topic === undefined ? replicas.of("scores") : replicas.open({ name: "scores", spec, topic })
  const { store } = open
  store.set("ann", { points: 1 })
  replicas.changed(store)
  replicas.enter(open, session)
  replicas.flush()
  return {
    replicas,
    open,
    session,
    store,
    description: (): Frame | undefined => {
      const [first] = sent
      const frame = first && sentCodec.decode(first.bytes, 0)
      return frame?.kind === "bad" ? undefined : frame
    },
    /** Resumes with this HAVE. Returns the kinds of the parts that the server sends. */
    resume: (held: readonly ReplicaHold[]): string[] => {
      sent.length = 0
      source?.resumed()
      source?.have(held)
      replicas.flush()
      return sent.slice(1).flatMap(({ bytes }) => partsOf(bytes))
    },
  }
}

function partsOf(bytes: Uint8Array): string[] {
  const parts: string[] = []
  readReplicaFrame(bytes, () => ({
    schema: ReplicaSchema.of({ points: integer() }),
    recordAt: () => undefined,
    slotsOf: () => [],
    snapshot: () => parts.push("snapshot"),
    delta: () => parts.push("delta"),
    keep: () => parts.push("keep"),
    drop: () => parts.push("drop"),
  }))
  return parts
}

describe("Replicas", () => {
  it("sends the epoch of the store in REPLICA", () => {
    const { description, store } = newViewer()
    expect(description()).toMatchObject({ kind: "replica", name: "scores", epoch: store.epoch })
    expect(store.epoch).toMatch(/^[\w-]{8}$/)
    expect(newViewer().store.epoch).not.toBe(store.epoch)
  })

  it("keeps the cells that a client holds in the epoch of the store", () => {
    const { resume, store } = newViewer()
    const { version } = store.cellAt({ x: 0, y: 0 })
    const cells = [{ x: 0, y: 0, version }]
    expect(resume([{ replica: "scores", epoch: store.epoch, cells }])).toEqual(["keep"])
  })

  it.each([
    ["another epoch", { epoch: "other" }],
    ["no epoch", {}],
  ])("sends snapshots to a client that holds cells of %s", (_, epoch) => {
    const { resume, store } = newViewer()
    const { version } = store.cellAt({ x: 0, y: 0 })
    const cells = [{ x: 0, y: 0, version }]
    expect(resume([{ replica: "scores", ...epoch, cells }])).toEqual(["snapshot"])
  })

  it("names the topic in REPLICA, and keeps the cells that a client holds of this topic only", () => {
    const { description, resume, store } = newViewer("board:7")
    expect(description()).toMatchObject({ kind: "replica", name: "scores", topic: "board:7" })
    const { epoch } = store
    const cells = [{ x: 0, y: 0, version: store.cellAt({ x: 0, y: 0 }).version }]
    const held = { replica: "scores", epoch, cells }
    expect(resume([{ ...held, topic: "board:8" }])).toEqual(["snapshot"])
    expect(resume([held])).toEqual(["snapshot"])
    expect(resume([{ ...held, topic: "board:7" }])).toEqual(["keep"])
  })

  it("gives the number of a closed replica to the next one, with another epoch", () => {
    const { replicas } = newViewer()
    const one = replicas.open({ name: "cursors", spec, topic: "board:1" })
    const two = replicas.open({ name: "cursors", spec, topic: "board:2" })
    expect([one.store.number, two.store.number]).toEqual([1, 2])
    replicas.close(one)
    const three = replicas.open({ name: "cursors", spec, topic: "board:1" })
    expect(three.store.number).toBe(1)
    expect(three.store.epoch).not.toBe(one.store.epoch)
    expect(replicas.open({ name: "cursors", spec, topic: "board:3" }).store.number).toBe(3)
  })

  it("forgets the areas of a viewer that leaves", () => {
    const { open, replicas, session, store } = newViewer("board:7")
    const view = replicas.view(open, session, { follow: "ann" })
    expect(open.followers.size).toBe(1)
    replicas.leave(open, session)
    expect([open.followers.size, store.cellAt({ x: 0, y: 0 }).viewers]).toEqual([0, 0])
    view.moveTo({ x: 0, y: 0 })
    view.close()
    expect(store.cellAt({ x: 0, y: 0 }).viewers).toBe(0)
  })

  it("keeps a cell that is viewed anew before the changes of its predecessor are committed", () => {
    const { open, replicas, session, store } = newViewer("board:7")
    store.remove("ann")
    replicas.changed(store)
    replicas.flush()
    store.set("bob", { points: 1 })
    store.remove("bob")
    replicas.leave(open, session)
    replicas.enter(open, session)
    const viewed = store.cellAt({ x: 0, y: 0 })
    replicas.changed(store)
    replicas.flush()
    expect(viewed.viewers).toBe(1)
    expect(store.cellAt({ x: 0, y: 0 })).toBe(viewed)
  })
})
