import { systemClock } from "../base/system.ts"
import { defaultServerLimits } from "@hawser/protocol"
import type { ConnectionEvents } from "@hawser/protocol/core"
import { beforeEach, describe, expect, it } from "vitest"
import type { BunSocket } from "./bun-api.ts"
import { BunConnection } from "./bun-connection.ts"
import { ControlFrames } from "./control-frames.ts"
import { Turn } from "./turn.ts"

/** A fake socket of Bun. Its log contains all calls and events in order. */
class ScriptedSocket implements BunSocket {
  data: unknown
  /** Bytes that the socket accepts. Bun buffers the rest. */
  capacityBytes = Number.POSITIVE_INFINITY
  #bufferedBytes = 0
  readonly #log: string[]

  constructor(log: string[]) {
    this.#log = log
  }

  sendBinary(bytes: Uint8Array): number {
    this.#log.push(`write ${bytes.join()}`)
    const taken = Math.min(this.capacityBytes, bytes.length)
    this.capacityBytes -= taken
    this.#bufferedBytes += bytes.length - taken
    return this.#bufferedBytes > 0 ? -1 : bytes.length
  }

  cork(write: (socket: BunSocket) => void): void {
    this.#log.push("cork")
    write(this)
    this.#log.push("uncork")
  }

  getBufferedAmount(): number {
    return this.#bufferedBytes
  }

  /** Takes bytes from the buffer, as the peer does when it reads. */
  take(bytes: number): void {
    this.#bufferedBytes -= bytes
    connection.drained()
  }

  close(code: number, reason: string): void {
    this.#log.push("call close")
    connection.ended(code, reason)
  }

  terminate(): void {
    this.#log.push("call terminate")
    connection.ended(1006, "")
  }

  ping(): number {
    this.#log.push("ping")
    return 0
  }

  pause(): void {
    this.#log.push("pause")
  }

  resume(): void {
    this.#log.push("resume")
  }
}

let log: string[]
let nowMs: number
let turn: Turn
let socket: ScriptedSocket
let connection: BunConnection
let onDrained: () => void

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const message = (...bytes: number[]): { bytes: Uint8Array } => ({ bytes: Uint8Array.from(bytes) })

beforeEach(() => {
  log = []
  nowMs = 0
  turn = new Turn({ clock: systemClock, onError: (error) => log.push(`error ${String(error)}`) })
  socket = new ScriptedSocket(log)
  connection = new BunConnection(socket, {
    turn,
    controlFrames: new ControlFrames({ clock: { now: () => nowMs }, limits: defaultServerLimits }),
    onError: (error) => log.push(`error ${String(error)}`),
  })
  onDrained = () => {}
  const events: ConnectionEvents = {
    message: (bytes) => log.push(`message ${bytes.join()}`),
    text: () => log.push("text"),
    drained: () => {
      log.push("drained")
      onDrained()
    },
    pong: () => log.push("pong"),
    closed: (code, reason) => log.push(`closed ${code} ${reason}`),
  }
  connection.bind(events)
})

describe("sending", () => {
  it("writes the messages of a turn together at its end, and calls drained if awaitDrain was called", async () => {
    connection.awaitDrain()
    expect(connection.send(message(1))).toBe(true)
    expect(connection.send(message(2, 3))).toBe(true)
    expect(connection.bufferedBytes).toBe(3)
    expect(log).toEqual([])
    await endOfTurn()
    expect(log).toEqual(["cork", "write 1", "write 2,3", "uncork", "drained"])
    expect(connection.bufferedBytes).toBe(0)
  })

  it("writes the shared bytes themselves, not a copy", async () => {
    const shared = message(1, 2)
    const written: Uint8Array[] = []
    socket.sendBinary = (bytes) => written.push(bytes)
    connection.send(shared)
    await endOfTurn()
    expect(written[0]).toBe(shared.bytes)
  })

  it("does not cork for one message, and does not call drained without awaitDrain", async () => {
    connection.send(message(1))
    await endOfTurn()
    expect(log).toEqual(["write 1"])
  })

  it("calls drained once per awaitDrain, in a later turn, also without output", async () => {
    connection.awaitDrain()
    connection.awaitDrain()
    expect(log).toEqual([])
    await endOfTurn()
    expect(log).toEqual(["drained"])
    connection.awaitDrain()
    await endOfTurn()
    expect(log).toEqual(["drained", "drained"])
  })

  it.each([1, 2])(
    "counts the bytes that Bun buffers of %i messages, and calls drained when the buffer is empty",
    async (count) => {
      socket.capacityBytes = 1
      connection.awaitDrain()
      for (let sent = 0; sent < count; sent += 1) connection.send(message(7, 7, 7))
      await endOfTurn()
      expect(connection.bufferedBytes).toBe(3 * count - 1)
      connection.send(message(8))
      expect(connection.bufferedBytes).toBe(3 * count)
      await endOfTurn()
      expect(log).not.toContain("drained")
      socket.take(1)
      expect(log).not.toContain("drained")
      socket.take(3 * count - 1)
      expect(log.filter((line) => line === "drained")).toHaveLength(1)
      expect(connection.bufferedBytes).toBe(0)
    },
  )

  it("does not call drained while output waits for the end of the turn", async () => {
    socket.capacityBytes = 0
    connection.awaitDrain()
    connection.send(message(1))
    await endOfTurn()
    socket.capacityBytes = 1
    connection.send(message(2))
    socket.take(1)
    expect(log).toEqual(["write 1"])
    await endOfTurn()
    expect(log).toEqual(["write 1", "write 2", "drained"])
  })

  it("writes messages that were sent within drained in the next turn", async () => {
    onDrained = () => {
      onDrained = () => {}
      connection.awaitDrain()
      connection.send(message(2))
    }
    connection.awaitDrain()
    connection.send(message(1))
    await endOfTurn()
    await endOfTurn()
    expect(log).toEqual(["write 1", "drained", "write 2", "drained"])
  })
})

describe("closing", () => {
  it("comes after the messages that were sent before it, and accepts none after it", async () => {
    connection.send(message(1))
    connection.close(4000, "enough")
    connection.close(4001, "again")
    expect(connection.send(message(2))).toBe(false)
    await endOfTurn()
    expect(log).toEqual(["write 1", "call close", "closed 4000 enough"])
    expect(connection.send(message(3))).toBe(false)
  })

  it("waits until a slow peer has read everything", async () => {
    socket.capacityBytes = 0
    connection.send(message(1))
    connection.close(4000, "")
    await endOfTurn()
    expect(log).toEqual(["write 1"])
    expect(connection.bufferedBytes).toBe(1)
    socket.take(1)
    await endOfTurn()
    expect(log).toEqual(["write 1", "call close", "closed 4000 "])
  })

  it("does not wait if a slow peer has read everything before", async () => {
    socket.capacityBytes = 0
    connection.send(message(1))
    await endOfTurn()
    socket.take(1)
    connection.close(4000, "")
    await endOfTurn()
    expect(log).toEqual(["write 1", "call close", "closed 4000 "])
  })

  it("can be interrupted by terminate while it waits", async () => {
    socket.capacityBytes = 0
    connection.send(message(1))
    connection.close(4000, "")
    await endOfTurn()
    connection.terminate()
    await endOfTurn()
    expect(log).toEqual(["write 1", "call terminate", "closed 1006 "])
  })

  it("shortens a reason to the capacity of a close frame", async () => {
    const reasons: string[] = []
    socket.close = (_code, reason) => reasons.push(reason)
    connection.close(4000, "€".repeat(100))
    await endOfTurn()
    expect(reasons).toEqual(["€".repeat(41)])
  })
})

describe("the end", () => {
  it("is reported once, never within terminate, and drops unwritten output", async () => {
    connection.send(message(1))
    connection.terminate()
    connection.terminate()
    connection.close(4000, "")
    expect(log).toEqual(["call terminate"])
    await endOfTurn()
    expect(log).toEqual(["call terminate", "closed 1006 "])
    expect(connection.send(message(2))).toBe(false)
    expect(connection.bufferedBytes).toBe(0)
  })

  it("may be caused by the peer, and no event follows it", async () => {
    connection.send(message(1))
    connection.ended(1001, "going")
    connection.received(Uint8Array.of(1))
    connection.received("text")
    connection.pong()
    connection.drained()
    connection.awaitDrain()
    connection.pause()
    connection.resume()
    connection.ping()
    connection.terminate()
    await endOfTurn()
    expect(log).toEqual(["closed 1001 going"])
  })
})

it("abuse-A29 closes with 1008 at the 101st ping or pong of a second", async () => {
  for (let second = 0; second < 3; second += 1) {
    for (let count = 0; count < 50; count += 1) {
      connection.pinged()
      connection.pong()
    }
    nowMs += 1_000
  }
  await endOfTurn()
  expect(log.filter((line) => line !== "pong")).toEqual([])
  for (let count = 0; count < 200; count += 1) connection.pinged()
  await endOfTurn()
  expect(log.filter((line) => line !== "pong")).toEqual([
    "error RangeError: more than 100 pings and pongs in a second (limits.controlFramesPerSecond)",
    "call close",
    "closed 1008 more than 100 pings and pongs in a second (limits.controlFramesPerSecond)",
  ])
})

it("passes on messages, texts, pongs and pauses synchronously, and pings at the end of the turn", async () => {
  connection.received(Uint8Array.of(1, 2))
  connection.received(Uint8Array.of(3).buffer)
  connection.received("text")
  connection.pong()
  connection.pause()
  connection.resume()
  connection.ping()
  const passed = ["message 1,2", "message 3", "text", "pong", "pause", "resume"]
  expect(log).toEqual(passed)
  await endOfTurn()
  expect(log).toEqual([...passed, "ping"])
})
