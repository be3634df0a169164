import { systemClock } from "../base/system.ts"
import { Duplex } from "node:stream"
import { expect, it } from "vitest"
import { outbound } from "@hawser/protocol/core"
import { OwnedWebSocket } from "./owned-web-socket.ts"
import { Turn } from "./turn.ts"
import { WebSocketHost } from "./web-socket-host.ts"
import { WebSocketConnection } from "./web-socket.ts"

/** A socket that completes its writes only in `drain`. */
class SlowSocket extends Duplex {
  readonly taken: Buffer[] = []
  #done: (() => void) | undefined

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk)
    this.#done = done
  }

  /** Completes the queued writes, one after another. */
  drain(): void {
    for (let done = this.#done; done !== undefined; done = this.#done) {
      this.#done = undefined
      done()
    }
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }
}

function setUp() {
  const errors: unknown[] = []
  const socket = new SlowSocket()
  // Created as by the library's server. Its types declare the client's constructor only.
  const webSocket: unknown = Reflect.construct(OwnedWebSocket, [null, undefined, {}])
  if (!(webSocket instanceof OwnedWebSocket)) throw new TypeError("not the library's socket")
  Reflect.set(webSocket, "_readyState", OwnedWebSocket.OPEN)
  const onError = (error: unknown): void => void errors.push(error)
  const host = new WebSocketHost({
    turn: new Turn({ clock: systemClock, onError }),
    limits: { controlFramesPerSecond: 1 },
    clock: { now: () => 0 },
    onError,
  })
  const connection = new WebSocketConnection(webSocket, socket, host)
  return { socket, webSocket, connection, errors }
}

/** A connection whose owner records its messages, and pauses it at each one whose first byte is 0. */
function setUpReader() {
  const { socket, webSocket, connection } = setUp()
  Reflect.set(webSocket, "_socket", socket)
  Reflect.set(webSocket, "_receiver", { _writableState: { needDrain: false } })
  const log: (number | string)[] = []
  connection.bind({
    message: ([id = -1]) => {
      log.push(id)
      if (id === 0) connection.pause()
    },
    text() {},
    drained() {},
    pong() {},
    closed: (code) => void log.push(`closed ${code}`),
  })
  /** Emits messages as the library does for the frames of one read: all in one turn. */
  const read = (...ids: number[]): void => {
    for (const id of ids) webSocket.emit("message", Buffer.of(id), true)
  }
  return { webSocket, connection, log, read }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it("abuse-A29 a paused connection gets no more messages of the same read, and gets them in order when it is resumed", async () => {
  const { connection, log, read } = setUpReader()
  read(1, 0, 2, 3, 0, 4)
  await nextTurn()
  expect(log).toEqual([1, 0])
  connection.resume()
  // Not within the call: its caller may be in the middle of a message.
  expect(log).toEqual([1, 0])
  await nextTurn()
  expect(log).toEqual([1, 0, 2, 3, 0])
  connection.resume()
  await nextTurn()
  expect(log).toEqual([1, 0, 2, 3, 0, 4])
  read(5)
  expect(log.at(-1)).toBe(5)
})

it("messages that wait when the socket ends are dispatched before the end", () => {
  const { webSocket, log, read } = setUpReader()
  read(0, 1, 2)
  webSocket.emit("close", 1006, Buffer.alloc(0))
  expect(log).toEqual([0, 1, 2, "closed 1006"])
})

it("door-10 copies bytes that are queued behind others out of the memory that connections share", async () => {
  const { socket, connection } = setUp()
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const message = (id: number): Uint8Array => Uint8Array.of(7, id, id)
  for (let id = 0; id < 4; id += 1) {
    connection.send(outbound(message(id)))
    await turn()
  }
  // The first message has a chain that is joined; the second one's chain is too long.
  for (const length of [100, 20_000]) {
    connection.send(outbound(message(9)))
    connection.send(outbound(new Uint8Array(length), true))
    connection.send(outbound(message(9)))
    await turn()
  }
  socket.drain()
  await turn()
  socket.drain()
  expect(Buffer.concat(socket.taken).length).toBe(4 * 5 + (5 + 102 + 5) + (5 + 20_004 + 5))
  expect(socket.taken.slice(1, 4)).toEqual([1, 2, 3].map((id) => Buffer.of(0x82, 3, 7, id, id)))
  const [first, ...waiting] = socket.taken
  // No bytes were queued before the first piece: it is a part of the slab, without a copy.
  expect(first?.buffer.byteLength).toBe(64 * 1024)
  expect(waiting.map((piece) => piece.buffer.byteLength)).toEqual(waiting.map((piece) => piece.length))
})
