// Raw bytes against the rules of RFC 6455. Each case names the bytes and the close code that must answer them.
import { once } from "node:events"
import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import {
  connectionsReach,
  expectLeft,
  helloBytes,
  nextTurn,
  openTcp,
  openTcpSession,
  startServer,
  until,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { describeOver, skipWithout } from "./transports.ts"

interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

const mask = [0x37, 0xfa, 0x21, 0x3d]

/** A client's frame. `first` holds FIN, the reserved bits and the opcode. */
function frame(first: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([header(first, payload.length), masked(payload)])
}

/** FIN, opcode, length and mask of a client's frame whose payload follows, or never comes. */
function header(first: number, length: number | bigint): Buffer {
  if (length < 126) return Buffer.from([first, 0x80 | Number(length), ...mask])
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(length))
  return length < 0x10000
    ? Buffer.from([first, 0x80 | 126, ...long.subarray(6), ...mask])
    : Buffer.from([first, 0x80 | 127, ...long, ...mask])
}

function masked(payload: Uint8Array): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
}

function close(code: number, reason: Uint8Array = Buffer.alloc(0)): Buffer {
  return frame(0x88, closePayload(code, reason))
}

function closePayload(code: number, reason: Uint8Array): Buffer {
  const payload = Buffer.alloc(2 + reason.length)
  payload.writeUInt16BE(code)
  payload.set(reason, 2)
  return payload
}

/** Parses the server's bytes from this call on. */
function readFrames(socket: Socket): ServerFrame[] {
  const frames: ServerFrame[] = []
  let rest = Buffer.alloc(0)
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const [first = 0, second = 0] = rest
      const length = second === 126 ? rest.readUInt16BE(2) : second
      const start = second === 126 ? 4 : 2
      if (rest.length < start + length) return
      frames.push({ opcode: first & 0x0f, payload: rest.subarray(start, start + length) })
      rest = rest.subarray(start + length)
    }
  })
  return frames
}

/** The code of the server's close, after it has ended the socket. */
async function closeCodeOf(socket: Socket, frames: readonly ServerFrame[]): Promise<number | undefined> {
  await once(socket, "close")
  const last = frames.at(-1)
  return last?.opcode === 8 && last.payload.length >= 2 ? last.payload.readUInt16BE() : undefined
}

/** Asserts that the process lives, no resource of the peer is left, and a good client is served. */
async function expectServed(world: SocketServer): Promise<void> {
  await connectionsReach(world, 0)
  const client = world.client({ token: "next" })
  await client.connect()
  expect(await client.command("echo", { text: "on" })).toEqual({ text: "on" })
  expect(await world.handled()).toEqual(["on"])
}

const x = Buffer.from("x")
const badUtf8: readonly (readonly [string, number[]])[] = [
  ["a lone 0xff", [0xff]],
  ["a lone continuation byte", [0x41, 0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["a character cut short", [0xe2, 0x82]],
]

const violations: readonly (readonly [string, Buffer, number])[] = [
  ["abuse-A37 RSV1 without an extension (section 5.2)", frame(0xc2, x), 1002],
  ["RSV2", frame(0xa2, x), 1002],
  ["RSV3", frame(0x92, x), 1002],
  ["all reserved bits", frame(0xf2, x), 1002],
  ["RSV1 on a ping", frame(0xc9), 1002],
  ["RSV1 on a continuation", Buffer.concat([frame(0x02, x), frame(0xc0, x)]), 1002],
  ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map(
    (opcode) => [`the reserved opcode ${opcode}`, frame(0x80 | opcode, x), 1002] as const,
  ),
  ["a fragmented ping (section 5.5)", frame(0x09, x), 1002],
  ["a fragmented pong", frame(0x0a, x), 1002],
  ["a fragmented close", frame(0x08, closePayload(1000, x)), 1002],
  ["a ping of 126 bytes", header(0x89, 126), 1002],
  ["a pong of 126 bytes", header(0x8a, 126), 1002],
  ["a close of 126 bytes", header(0x88, 126), 1002],
  ["a ping of 64 KiB", header(0x89, 0x10000), 1002],
  ["an unmasked message (section 5.1)", Buffer.from([0x82, 1, 0x78]), 1002],
  ["an unmasked ping", Buffer.from([0x89, 0]), 1002],
  ["an unmasked close", Buffer.from([0x88, 2, 0x03, 0xe8]), 1002],
  ["a continuation without a start (section 5.4)", frame(0x80, x), 1002],
  ["an unfinished continuation without a start", frame(0x00, x), 1002],
  ["a continuation after a ping only", Buffer.concat([frame(0x89), frame(0x80, x)]), 1002],
  ["a new message within a fragmented one", Buffer.concat([frame(0x02, x), frame(0x82, x)]), 1002],
  ["a new text within a fragmented message", Buffer.concat([frame(0x02, x), frame(0x81, x)]), 1002],
  ["a second start of fragments", Buffer.concat([frame(0x02, x), frame(0x02, x)]), 1002],
  ["a close of one byte (section 5.5.1)", frame(0x88, x), 1002],
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code) => [`the close code ${code} (section 7.4)`, close(code), 1002] as const,
  ),
  ...badUtf8.map(
    ([name, bytes]) => [`${name} in a close reason`, close(1000, Buffer.from(bytes)), 1007] as const,
  ),
  ...badUtf8.map(
    ([name, bytes]) => [`${name} in a text (section 8.1)`, frame(0x81, Buffer.from(bytes)), 1007] as const,
  ),
  ["a text, which no profile uses", frame(0x81, x), 1003],
  ["an empty text", frame(0x81), 1003],
  ["a fragmented text", Buffer.concat([frame(0x01, x), frame(0x80, x)]), 1003],
  ["a message one byte too long", header(0x82, 64 * 1024 + 1), 1009],
  ["a message of 2^53 bytes", header(0x82, 2n ** 53n), 1009],
  ["a message of 2^63 bytes", header(0x82, 2n ** 63n), 1009],
  [
    "fragments that are too long together",
    Buffer.concat([frame(0x02, Buffer.alloc(40_000)), frame(0x80, Buffer.alloc(40_000))]),
    1009,
  ],
]

/** HELLO in `count` fragments of a byte each; surplus ones are empty. */
function helloInFragments(count: number): Buffer {
  const hello = helloBytes("hawser.1")
  const fragments = Array.from({ length: count }, (_, index) => {
    const first = (index === 0 ? 0x02 : 0x00) | (index === count - 1 ? 0x80 : 0)
    return frame(first, hello.subarray(index, index + 1))
  })
  return Buffer.concat(fragments)
}

describeOver(["ws", "bun"], (transport) => {
  describe.each([
    ["a stranger", openTcp],
    ["a user", openTcpSession],
  ])("%s", (_who, open) => {
    it.each(violations)("abuse-A47 is closed for %s", async (_name, bytes, code) => {
      const world = await startServer(transport)
      const socket = await open(world.port, "hawser.1")
      const frames = readFrames(socket)
      socket.write(bytes)
      expect(await closeCodeOf(socket, frames)).toBe(code)
      await expectServed(world)
    })

    it("is closed for the header of a fragment that would make its message too long", async (context) => {
      skipWithout(context, transport, "fragmentHeads")
      const world = await startServer(transport)
      const socket = await open(world.port, "hawser.1")
      const frames = readFrames(socket)
      socket.write(Buffer.concat([frame(0x02, Buffer.alloc(40_000)), header(0x80, 40_000)]))
      expect(await closeCodeOf(socket, frames)).toBe(1009)
      await expectServed(world)
    })

    it("is closed in the same way when the bytes arrive one by one", async () => {
      const world = await startServer(transport)
      const socket = await open(world.port, "hawser.1")
      const frames = readFrames(socket)
      const closed = closeCodeOf(socket, frames)
      for (const byte of close(1000, Buffer.from([0xe2, 0x82]))) {
        socket.write(Uint8Array.of(byte))
        await nextTurn()
      }
      expect(await closed).toBe(1007)
      await expectServed(world)
    })

    it("is dropped, at shutdownMs at the latest, when it breaks a rule and then keeps the socket open", async () => {
      const world = await startServer(transport, { limits: { shutdownMs: 50 } })
      const socket = await open(world.port, "hawser.1")
      socket.allowHalfOpen = true
      const frames = readFrames(socket)
      socket.write(frame(0xf2, x))
      await once(socket, "end")
      // A reason may follow.
      expect(frames.at(-1)).toMatchObject({ opcode: 8 })
      expect(frames.at(-1)?.payload.readUInt16BE()).toBe(1002)
      await expectServed(world)
    })

    it.each([1000, 1001, 1003, 1011, 1014, 3000, 4999])(
      "may close with %i, which is answered",
      async (code) => {
        const world = await startServer(transport)
        const socket = await open(world.port, "hawser.1")
        const frames = readFrames(socket)
        socket.write(close(code, Buffer.from("r".repeat(120) + "€")))
        expect(await closeCodeOf(socket, frames)).toBe(code)
        await expectServed(world)
      },
    )

    it("may close without a code, which is answered without one", async () => {
      const world = await startServer(transport)
      const socket = await open(world.port, "hawser.1")
      const frames = readFrames(socket)
      socket.write(frame(0x88))
      await once(socket, "close")
      expect(frames.at(-1)).toEqual({ opcode: 8, payload: Buffer.alloc(0) })
      await expectServed(world)
    })

    it("gets the 125 bytes of its ping back, also within a fragmented message", async () => {
      const world = await startServer(transport)
      const socket = await open(world.port, "hawser.1")
      const frames = readFrames(socket)
      const payload = Buffer.from(Array.from({ length: 125 }, (_, index) => index))
      socket.write(Buffer.concat([frame(0x8a, x), frame(0x02, x), frame(0x89), frame(0x89, payload)]))
      await until(() => frames.filter(({ opcode }) => opcode === 10).length === 2)
      expect(frames.filter(({ opcode }) => opcode === 10)).toEqual([
        { opcode: 10, payload: Buffer.alloc(0) },
        { opcode: 10, payload },
      ])
      socket.destroy()
      await expectServed(world)
    })
  })

  describe("many small things", () => {
    it("are accepted up to 256 fragments of one message, and not one more", async (context) => {
      skipWithout(context, transport, "fragmentBound")
      const world = await startServer(transport)
      const fits = await openTcp(world.port, "hawser.1")
      fits.write(helloInFragments(256))
      await until(async () => (await world.stats()).sessions === 1)
      fits.destroy()
      const over = await openTcp(world.port, "hawser.1")
      const frames = readFrames(over)
      over.write(helloInFragments(257))
      expect(await closeCodeOf(over, frames)).toBe(1008)
      await expectServed(world)
    })

    it.for([
      ["65,536 fragments of one byte", 65_536, x],
      ["65,536 empty fragments", 65_536, Buffer.alloc(0)],
    ] as const)(
      "abuse-A36 end with 1008 when they are %s of one message",
      async ([_name, count, payload], context) => {
        skipWithout(context, transport, "fragmentBound")
        const world = await startServer(transport)
        const socket = await openTcpSession(world.port, "hawser.1")
        const frames = readFrames(socket)
        const fragments = Array.from({ length: count }, (_, index) =>
          frame(index === 0 ? 0x02 : 0x00, payload),
        )
        socket.write(Buffer.concat(fragments))
        expect(await closeCodeOf(socket, frames)).toBe(1008)
        expect((await world.stats()).messagesReceived).toBe(0)
        await expectServed(world)
        await expectLeft(world, "hawser.1", "ann")
      },
    )

    it("abuse-A36 end with 1008 when empty fragments never stop", async (context) => {
      skipWithout(context, transport, "fragmentBound")
      const world = await startServer(transport)
      const socket = await openTcpSession(world.port, "hawser.1")
      const frames = readFrames(socket)
      const closed = closeCodeOf(socket, frames)
      socket.write(frame(0x02))
      while (socket.writable) {
        socket.write(frame(0x00))
        await nextTurn()
      }
      expect(await closed).toBe(1008)
      await expectServed(world)
    })

    it("abuse-A36 end with 1008 when one message trickles in byte by byte, beyond messageMaxChunks", async (context) => {
      skipWithout(context, transport, "fragmentBound")
      const world = await startServer(transport, { limits: { messageMaxChunks: 64 } })
      const socket = await openTcpSession(world.port, "hawser.1")
      const frames = readFrames(socket)
      const closed = closeCodeOf(socket, frames)
      socket.setNoDelay(true)
      socket.write(header(0x82, 60_000))
      while (socket.writable) {
        socket.write(x)
        await nextTurn()
      }
      expect(await closed).toBe(1008)
      await expectServed(world)
    })
  })
})
