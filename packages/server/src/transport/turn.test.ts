import { systemClock } from "../base/system.ts"
import { defaultServerLimits } from "@hawser/protocol"
import { outbound } from "@hawser/protocol/core"
import type { Connection } from "@hawser/protocol/core"
import fc from "fast-check"
import { Duplex } from "node:stream"
import { describe, expect, it } from "vitest"
import type { BunSocket } from "./bun-api.ts"
import { BunConnection } from "./bun-connection.ts"
import { ControlFrames } from "./control-frames.ts"
import { OwnedWebSocket } from "./owned-web-socket.ts"
import { Turn } from "./turn.ts"
import type { Gate, Outlet, SealedTurn } from "./turn.ts"
import { WebSocketHost } from "./web-socket-host.ts"
import { WebSocketConnection } from "./web-socket.ts"

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A gate that the test opens or rejects. */
class HeldGate implements Gate {
  readonly passed: number[] = []
  isOpen = false
  /** Added to the number of the latest turn that was kept. */
  lie = 0
  #held: { readonly turn: SealedTurn; open(): void; reject(error: Error): void } | undefined

  get kept(): number {
    return (this.passed.at(-1) ?? 0) + this.lie
  }

  pass(turn: SealedTurn): Promise<void> | undefined {
    if (this.#held !== undefined) throw new Error("two turns are at the gate")
    if (this.isOpen) {
      this.passed.push(turn.number)
      return undefined
    }
    return new Promise((resolve, reject) => (this.#held = { turn, open: resolve, reject }))
  }

  async open(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    if (held === undefined) return
    this.passed.push(held.turn.number)
    held.open()
    await nextTurn()
  }

  /** Rejects the turn at the gate. Returns its connections. */
  async reject(): Promise<readonly Outlet[]> {
    const held = this.#held
    this.#held = undefined
    held?.reject(new Error("disk is full"))
    await nextTurn()
    return held?.turn.outlets ?? []
  }
}

class Recorder implements Outlet {
  readonly log: string[] = []
  readonly #turn: Turn
  onRelease: () => void = () => {}

  constructor(turn: Turn) {
    this.#turn = turn
  }

  release(turn: number): void {
    if (!this.#turn.permits(this, turn)) return
    this.log.push(`release ${turn}`)
    this.onRelease()
  }

  terminate(): void {
    this.log.push("terminate")
  }
}

function setUp(gate?: Gate) {
  const errors: unknown[] = []
  const turn = new Turn({
    clock: systemClock,
    onError: (error) => errors.push(error),
    ...(gate === undefined ? {} : { gate }),
  })
  return { errors, turn, ann: new Recorder(turn), ben: new Recorder(turn) }
}

describe("Turn", () => {
  it("seals and releases at the end of the turn of the event loop", async () => {
    const { turn, ann, ben } = setUp()
    turn.join(ann)
    turn.join(ben)
    expect(ann.log).toEqual([])
    await nextTurn()
    expect([ann.log, ben.log]).toEqual([["release 1"], ["release 1"]])
    await nextTurn()
    expect(ann.log).toEqual(["release 1"])
  })

  it("moves output that joins during a release to the next turn", async () => {
    const { turn, ann, ben } = setUp()
    ann.onRelease = () => {
      ann.onRelease = () => {}
      turn.join(ann)
      turn.join(ben)
    }
    turn.join(ann)
    await nextTurn()
    expect([ann.log, ben.log]).toEqual([["release 1"], []])
    await nextTurn()
    expect([ann.log, ben.log]).toEqual([["release 1", "release 2"], ["release 2"]])
  })

  it("keeps one turn at the gate, and seals the next one after its release", async () => {
    const gate = new HeldGate()
    const { turn, ann, ben } = setUp(gate)
    turn.join(ann)
    await nextTurn()
    turn.join(ben)
    turn.join(ann)
    for (let count = 0; count < 3; count += 1) await nextTurn()
    expect([ann.log, ben.log, turn.open]).toEqual([[], [], 2])
    await gate.open()
    expect([ann.log, ben.log]).toEqual([["release 1"], []])
    await nextTurn()
    await gate.open()
    expect([ann.log, ben.log]).toEqual([["release 1", "release 2"], ["release 2"]])
  })

  it("terminates the connections of a turn that the gate rejects, and continues", async () => {
    const gate = new HeldGate()
    const { turn, ann, ben, errors } = setUp(gate)
    turn.join(ann)
    await nextTurn()
    turn.join(ben)
    await gate.reject()
    expect(ann.log).toEqual(["terminate"])
    expect(errors).toEqual([new Error("disk is full")])
    await nextTurn()
    await gate.open()
    expect(ben.log).toEqual(["release 2"])
  })

  it("treats a throw of the gate as a rejection", async () => {
    const error = new Error("no such file")
    const failing: Gate = {
      kept: 0,
      pass() {
        throw error
      },
    }
    const { turn, ann, errors } = setUp(failing)
    turn.join(ann)
    await nextTurn()
    expect(ann.log).toEqual(["terminate"])
    expect(errors).toEqual([error])
  })

  it("trap-01 writes nothing of a turn that the gate has released and not kept", async () => {
    const gate = new HeldGate()
    const { turn, ann, errors } = setUp(gate)
    gate.lie = -1
    gate.isOpen = true
    turn.join(ann)
    await nextTurn()
    expect(ann.log).toEqual(["terminate"])
    expect(errors).toEqual([new Error("internal: a connection wrote output of turn 1; the gate has kept 0")])
  })

  it("counts the time for which output was held, if it is long", async () => {
    let nowMs = 0
    const gate = new HeldGate()
    const turn = new Turn({ clock: { ...systemClock, now: () => nowMs }, gate, onError: () => {} })
    const ann = new Recorder(turn)
    const hold = async (ms: number): Promise<number> => {
      turn.join(ann)
      await nextTurn()
      nowMs += ms
      const during = turn.heldMs
      await gate.open()
      expect(turn.heldMs).toBe(during)
      return during
    }
    expect([await hold(499), await hold(500), await hold(3_000), await hold(20)]).toEqual([
      0, 500, 3_500, 3_500,
    ])
  })

  it("reports a write that throws, terminates that connection, and releases the others", async () => {
    const { turn, ann, ben, errors } = setUp()
    ann.onRelease = () => {
      throw new Error("broken socket")
    }
    turn.join(ann)
    turn.join(ben)
    await nextTurn()
    expect([ann.log, ben.log]).toEqual([["release 1", "terminate"], ["release 1"]])
    expect(errors).toEqual([new Error("broken socket")])
  })

  it("reports a write outside of its release, and terminates the connection", async () => {
    const { turn, ann, ben, errors } = setUp()
    ben.release(1)
    expect(ben.log).toEqual(["terminate"])
    ann.onRelease = () => ben.release(1)
    turn.join(ann)
    await nextTurn()
    expect([ann.log, ben.log]).toEqual([["release 1"], ["terminate", "terminate"]])
    const breach = new Error("internal: a connection wrote outside the release of its turn")
    expect(errors).toEqual([breach, breach])
  })

  it("releases each sealed turn once, and no other turn", () => {
    const { turn, ann } = setUp()
    turn.join(ann)
    const sealed = turn.seal()
    expect(sealed).toEqual({ number: 1, outlets: [ann] })
    expect(() => turn.seal()).toThrow("turn 1 is sealed and not released")
    turn.release(sealed)
    expect(() => turn.release(sealed)).toThrow("turn 1 is not sealed, or is released already")
    expect(ann.log).toEqual(["release 1"])
  })
})

/** One connection over a fake socket, and its output: ids of messages, "ping" and "close". */
interface Peer {
  readonly connection: Connection & Outlet
  readonly wire: string[]
}

type Open = (turn: Turn, onError: (error: unknown) => void) => Peer

const limits = defaultServerLimits
const clock = { now: () => 0 }
const events = { message() {}, text() {}, drained() {}, pong() {}, closed() {} }

/** Accepts all bytes and parses the frames. The tests send no payload above 125 bytes. */
class FrameSink extends Duplex {
  readonly #wire: string[]
  #bytes = Buffer.alloc(0)

  constructor(wire: string[]) {
    super()
    this.#wire = wire
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let end = this.#frameEnd; end <= this.#bytes.length; end = this.#frameEnd) {
      const kind = (this.#bytes[0] ?? 0) & 0x0f
      this.#wire.push(kind === 2 ? `${this.#bytes[2]}` : kind === 9 ? "ping" : "close")
      this.#bytes = this.#bytes.subarray(end)
    }
    done()
  }

  get #frameEnd(): number {
    return 2 + (this.#bytes[1] ?? 0)
  }
}

const openWs: Open = (turn, onError) => {
  const wire: string[] = []
  const socket = new FrameSink(wire)
  const webSocket: unknown = Reflect.construct(OwnedWebSocket, [null, undefined, {}])
  if (!(webSocket instanceof OwnedWebSocket)) throw new TypeError("not the library's socket")
  const setSocket: unknown = Reflect.get(webSocket, "setSocket")
  if (typeof setSocket !== "function") throw new TypeError("the library has no setSocket")
  Reflect.set(webSocket, "_isServer", true)
  Reflect.apply(setSocket, webSocket, [socket, Buffer.alloc(0), { maxPayload: 1_000 }])
  const connection = new WebSocketConnection(
    webSocket,
    socket,
    new WebSocketHost({ turn, limits, clock, onError }),
  )
  connection.bind(events)
  return { connection, wire }
}

/** A fake socket of Bun for a connection that never pauses. */
class BunSink implements BunSocket {
  data: unknown
  readonly wire: string[] = []
  ended: (code: number, reason: string) => void = () => {}

  sendBinary(bytes: Uint8Array): number {
    this.wire.push(`${bytes[0]}`)
    return bytes.length
  }
  cork(write: (socket: BunSocket) => void): void {
    write(this)
  }
  getBufferedAmount(): number {
    return 0
  }
  close(code: number, reason: string): void {
    this.wire.push("close")
    this.ended(code, reason)
  }
  terminate(): void {
    this.ended(1006, "")
  }
  ping(): number {
    this.wire.push("ping")
    return 0
  }
  pause(): void {}
  resume(): void {}
}

const openBun: Open = (turn, onError) => {
  const socket = new BunSink()
  const controlFrames = new ControlFrames({ clock, limits })
  const connection = new BunConnection(socket, { turn, controlFrames, onError })
  socket.ended = (code, reason) => connection.ended(code, reason)
  connection.bind(events)
  return { connection, wire: socket.wire }
}

const peerCount = 3
const peerIndex = fc.nat(peerCount - 1)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("send" as const), peer: peerIndex }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("broadcast" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ping" as const), peer: peerIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("await" as const), peer: peerIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const), peer: peerIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("terminate" as const), peer: peerIndex }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("turn" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("open" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reject" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("gate" as const), isOpen: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Accepted {
  readonly label: string
  readonly turn: number
}

/** A peer, and all output that its connection accepted. */
class Watched {
  readonly accepted: Accepted[] = []
  readonly peer: Peer
  #isClosed = false
  /** Length of the wire when the connection was terminated. */
  #endLength: number | undefined
  #seenCount = 0

  constructor(peer: Peer) {
    this.peer = peer
  }

  accept(label: string, turn: number): void {
    if (this.#endLength === undefined && !this.#isClosed) this.accepted.push({ label, turn })
    if (label === "close") this.#isClosed = true
  }

  terminated(): void {
    this.#endLength ??= this.peer.wire.length
  }

  /** Checks that output leaves in order, after its turn has passed the gate, and never after a termination. */
  check(passed: readonly number[]): void {
    const { wire } = this.peer
    // Pings do not wait at the gate.
    expect(withoutPings(wire)).toEqual(
      withoutPings(this.accepted.map(({ label }) => label)).slice(0, withoutPings(wire).length),
    )
    for (; this.#seenCount < wire.length; this.#seenCount += 1) {
      const label = wire[this.#seenCount]
      if (label === "ping") continue
      expect(this.accepted.some((one) => one.label === label && passed.includes(one.turn))).toBe(true)
    }
    const closedAt = wire.indexOf("close")
    if (closedAt !== -1) expect(closedAt).toBe(wire.length - 1)
    if (this.#endLength !== undefined) expect(wire.length).toBe(this.#endLength)
  }

  /** Checks that all accepted output has left once, unless the connection was terminated. */
  checkEnd(): void {
    if (this.#endLength !== undefined) return
    expect(withoutPings(this.peer.wire)).toEqual(withoutPings(this.accepted.map(({ label }) => label)))
    expect(this.peer.wire.includes("ping")).toBe(this.accepted.some(({ label }) => label === "ping"))
    expect(this.peer.connection.bufferedBytes).toBe(0)
  }
}

function withoutPings(labels: readonly string[]): string[] {
  return labels.filter((label) => label !== "ping")
}

class World {
  readonly errors: unknown[] = []
  readonly gate = new HeldGate()
  readonly turn = new Turn({
    clock: systemClock,
    gate: this.gate,
    onError: (error) => this.errors.push(error),
  })
  readonly peers: readonly Watched[]
  #sent = 0

  constructor(open: Open) {
    this.peers = Array.from(
      { length: peerCount },
      () => new Watched(open(this.turn, (error) => this.errors.push(error))),
    )
  }

  send(targets: readonly Watched[]): void {
    this.#sent += 1
    const message = outbound(Uint8Array.of(this.#sent), targets.length > 1)
    for (const watched of targets)
      if (watched.peer.connection.send(message)) watched.accept(`${this.#sent}`, this.turn.open)
  }

  async run(one: Step): Promise<void> {
    const watched = "peer" in one ? this.peers[one.peer] : undefined
    const connection = watched?.peer.connection
    switch (one.kind) {
      case "send":
        if (watched !== undefined) this.send([watched])
        break
      case "broadcast":
        this.send(this.peers)
        break
      case "ping":
        connection?.ping?.()
        watched?.accept("ping", this.turn.open)
        break
      case "await":
        connection?.awaitDrain?.()
        break
      case "close":
        connection?.close(4000, "")
        watched?.accept("close", this.turn.open)
        break
      case "terminate":
        connection?.terminate()
        watched?.terminated()
        break
      case "turn":
        await nextTurn()
        break
      case "open":
        await this.gate.open()
        break
      case "reject":
        this.#discarded(await this.gate.reject())
        break
      case "gate":
        this.gate.isOpen = one.isOpen
    }
  }

  #discarded(outlets: readonly Outlet[]): void {
    this.errors.length = 0
    for (const watched of this.peers) if (outlets.includes(watched.peer.connection)) watched.terminated()
  }

  async finish(): Promise<void> {
    this.gate.isOpen = true
    for (let count = 0; count < 4; count += 1) {
      await this.gate.open()
      await nextTurn()
    }
  }
}

describe.each<[string, Open]>([
  ["ws", openWs],
  ["Bun", openBun],
])("a connection of %s", (_name, open) => {
  it("sends in order, once, after the gate, and nothing after a close or a termination", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const world = new World(open)
        for (const one of steps) {
          await world.run(one)
          for (const peer of world.peers) peer.check(world.gate.passed)
        }
        await world.finish()
        for (const peer of world.peers) {
          peer.check(world.gate.passed)
          peer.checkEnd()
        }
        expect(world.errors).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it("reports a release outside of its turn, and writes nothing", async () => {
    const world = new World(open)
    const [watched] = world.peers
    if (watched === undefined) return
    const { connection, wire } = watched.peer
    connection.send(outbound(Uint8Array.of(1)))
    connection.release(1)
    expect(world.errors.map(String)).toEqual([
      "Error: internal: a connection wrote output of turn 1; the gate has kept 0",
    ])
    await world.finish()
    expect(wire).toEqual([])
    expect(connection.send(outbound(Uint8Array.of(2)))).toBe(false)
  })
})
