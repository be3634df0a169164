// Attacks by frames before a log-in: against RFC 6455, against the guard, and against the handshake.
import { clientMessageLimits, createFrameCodec, TypeTable, wireVersion } from "@hawser/protocol/core"
import type { HelloFrame } from "@hawser/protocol/core"
import { encode } from "@msgpack/msgpack"
import { createHmac } from "node:crypto"
import { bytes, pick, word } from "../kind.ts"
import type { Attack, Kind } from "../kind.ts"
import { upgradeOf, wsFrame } from "../peer.ts"
import { authMaxMs } from "./upgrades.ts"

/** A socket that broke a rule has 1 s for its closing handshake. */
const brokenMaxMs = 1_000 + 3_000

type Content = (random: () => number) => Buffer

const broken: readonly Content[] = [
  (random) => wsFrame(bytes(random, 20), { first: 0xc2 }),
  (random) => wsFrame(bytes(random, 20), { first: 0xf2 }),
  (random) => wsFrame(bytes(random, 20), { isMasked: false }),
  (random) => wsFrame(bytes(random, 20), { first: 0x83 }),
  () => wsFrame(Buffer.alloc(20), { first: 0x80 }),
  () => wsFrame(Buffer.alloc(0), { announced: 1n << 40n }),
  () => wsFrame(Buffer.alloc(0), { announced: (1n << 63n) + 1n }),
  () => wsFrame(Buffer.alloc(70_000)),
  () => wsFrame(Buffer.alloc(130), { first: 0x89 }),
  () => wsFrame(Buffer.from([0x03, 0xed]), { first: 0x88 }),
  () => wsFrame(Buffer.from([0xff]), { first: 0x88 }),
  () => Buffer.from("GET /ws HTTP/1.1\r\n\r\n"),
  () =>
    Buffer.concat([
      wsFrame(Buffer.of(1), { first: 0x02 }),
      ...Array.from({ length: 300 }, () => wsFrame(Buffer.of(1), { first: 0x00 })),
    ]),
  (random) => wsFrame(Buffer.from(word(random, 40)), { first: 0x81 }),
  () => wsFrame(Buffer.from([0xc3, 0x28]), { first: 0x81 }),
]

const codec = createFrameCodec(new TypeTable(), clientMessageLimits)

function hello(fields: Partial<HelloFrame>): Buffer {
  const frame = {
    kind: "hello",
    version: wireVersion,
    token: "junk",
    reference: null,
    clientId: "attacker",
    dial: 1,
  } as const
  return wsFrame(codec.encode({ ...frame, ...fields }))
}

/** A JWT with arbitrary claims, signed with another key than the world's. */
function forgedToken(alg: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")
  const body = `${part({ alg, typ: "JWT" })}.${part({ sub: "bot-0001", exp: 4_000_000_000 })}`
  return `${body}.${createHmac("sha256", "a key that no server has").update(body).digest("base64url")}`
}

function repeated(header: readonly number[], count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => header).flat())
}

/** First byte of HELLO. */
const helloByte = Buffer.of(0x01)

const bombs: readonly Buffer[] = [
  repeated([0xdd, 0x00, 0xff, 0xff, 0xff], 20),
  repeated([0xdd, 0xff, 0xff, 0xff, 0xff], 20),
  Buffer.of(0xdf, 0xff, 0xff, 0xff, 0xff),
  Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff),
  repeated([0x91], 7_000),
  Buffer.concat([Buffer.of(0x97), encode({ ["__proto__"]: 1 })]),
]

const firstMessages: readonly Content[] = [
  (random) => wsFrame(bytes(random, 60)),
  (random) => wsFrame(Buffer.concat([helloByte, bytes(random, 60)])),
  () => hello({ token: "x".repeat(9_000) }),
  () => hello({ token: forgedToken("HS256") }),
  () => hello({ token: forgedToken("none") }),
  () => hello({ version: 99 }),
  (random) =>
    hello({
      token: forgedToken("HS256"),
      resume: { sessionId: word(random, 22), token: word(random, 43), handled: 7, digest: 7, sent: 0 },
    }),
  (random) => wsFrame(Buffer.concat([helloByte, pick(random, bombs)])),
  (random) => wsFrame(pick(random, bombs)),
  (random) =>
    wsFrame(
      encode({ id: word(random, 8), type: "cmd_authenticate", payload: { token: forgedToken("HS256") } }),
    ),
  (random) => wsFrame(encode({ id: word(random, 8), type: "cmd_move", payload: { direction: "UP" } })),
]

/** Sends this on an open WebSocket and waits for its end. */
async function provoke(attack: Attack, content: Buffer): Promise<string> {
  const peer = attack.open()
  const protocols = attack.random() < 0.8 ? ["Sec-WebSocket-Protocol: hawser.1"] : []
  const status = await peer.upgrade(attack.host, protocols)
  if (status !== 101) {
    peer.leave()
    return String(status)
  }
  peer.write(content)
  await peer.closed
  return String(peer.closeCode ?? peer.error ?? "closed")
}

/** Bytes of a whole dialogue, from the request to a frame after the log-in. */
function dialogue({ host, random, tokens }: Attack): Buffer {
  const token = random() < 0.5 ? (tokens.at(-1) ?? "") : forgedToken("HS256")
  return Buffer.concat([
    Buffer.from(upgradeOf(host, ["Sec-WebSocket-Protocol: hawser.1"])),
    hello({ token }),
    wsFrame(codec.encode({ kind: "ping", number: 1, handled: 0 })),
  ])
}

export const frameKinds: readonly Kind[] = [
  {
    name: "malformed frames",
    share: 4,
    perSecond: 22,
    heldMaxMs: brokenMaxMs,
    run: (attack) => provoke(attack, pick(attack.random, broken)(attack.random)),
  },
  {
    name: "bad first messages",
    share: 5,
    perSecond: 22,
    heldMaxMs: brokenMaxMs,
    run: (attack) => provoke(attack, pick(attack.random, firstMessages)(attack.random)),
  },
  {
    name: "slow HELLO",
    share: 6,
    perSecond: 10,
    heldMaxMs: authMaxMs,
    async run(attack) {
      const peer = attack.open("spread")
      if ((await peer.upgrade(attack.host)) !== 101) return String(peer.status)
      const frame = hello({ token: forgedToken("HS256") })
      let sent = 0
      await peer.every(250, () => {
        peer.write(frame.subarray(sent, sent + 1))
        sent += 1
      })
      return String(peer.closeCode ?? peer.error ?? "closed")
    },
  },
  {
    name: "reset at any byte",
    share: 3,
    perSecond: 20,
    async run(attack) {
      const peer = attack.open("spread")
      const bytesOfIt = dialogue(attack)
      const cut = Math.floor(attack.random() * bytesOfIt.length)
      const halfway = Math.floor(cut * attack.random())
      peer.write(bytesOfIt.subarray(0, halfway))
      await attack.pause(attack.random() * 30)
      peer.write(bytesOfIt.subarray(halfway, cut))
      await attack.pause(attack.random() * 30)
      peer.reset()
      return "reset"
    },
  },
]
