// Attacks by registered users: floods of valid messages, answers that are not read, malformed frames after the log-in.
import {
  clientMessageLimits,
  contractTypes,
  createFrameCodec,
  TypeTable,
  wireVersion,
} from "@hawser/protocol/core"
import type { Frame } from "@hawser/protocol/core"
import { directions, world } from "../../../apps/world/src/contract.ts"
import { bytes, pick } from "../kind.ts"
import type { Attack, Kind } from "../kind.ts"
import { wsFrame } from "../peer.ts"
import type { Peer } from "../peer.ts"

const codec = createFrameCodec(new TypeTable(contractTypes(world)), clientMessageLimits)

function packed(frame: Frame): Buffer {
  return wsFrame(codec.encode(frame))
}

function request(type: string, payload: unknown): Buffer {
  return packed({ kind: "request", call: undefined, type, payload, budgetMs: 0, reference: null })
}

/** Logs in; undefined if the server refused. */
async function enter(attack: Attack, member: number): Promise<Peer | undefined> {
  const peer = attack.open("spread")
  if ((await peer.upgrade(attack.host)) !== 101) return undefined
  const before = peer.receivedBytes
  const token = attack.tokens[member] ?? ""
  peer.write(
    packed({
      kind: "hello",
      version: wireVersion,
      token,
      reference: null,
      clientId: `attacker ${member}`,
      dial: 1,
    }),
  )
  await peer.until(() => peer.receivedBytes > before)
  return peer
}

type Burst = (attack: Attack) => Buffer

/** One account floods without a pause until its connection is closed, and logs in again. */
function flood(member: number, name: string, { burst, everyMs }: { burst: Burst; everyMs: number }): Kind {
  return {
    name,
    share: 1,
    // One account has one session.
    socketsMax: 1,
    perSecond: 1,
    async run(attack) {
      const peer = await enter(attack, member)
      if (peer === undefined) return "refused"
      await peer.every(everyMs, () => {
        if (peer.waitingBytes < 64 * 1024) peer.write(burst(attack))
      })
      return String(peer.closeCode ?? peer.error ?? "closed")
    },
  }
}

const times = (count: number, of: () => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, of))

/** Accounts that these kinds use; the last one is that of the cut dialogues. */
export const memberCount = 7

export const memberKinds: readonly Kind[] = [
  flood(0, "thousands of commands", {
    everyMs: 100,
    burst: ({ random }) => times(40, () => request("move", { direction: pick(random, directions) })),
  }),
  flood(1, "thousands of chat messages and queries", {
    everyMs: 100,
    burst: ({ random }) =>
      times(20, () =>
        random() < 0.5
          ? request("chatSend", { channel: "global", message: "a flood" })
          : request("mapChunks", { centerX: 8, centerY: 8, radius: 5 }),
      ),
  }),
  flood(2, "thousands of ACK and CREDIT", {
    everyMs: 100,
    burst: () =>
      times(50, () =>
        Buffer.concat([
          packed({ kind: "ack", handled: 0 }),
          packed({ kind: "credit", reference: 1, items: 1_000 }),
        ]),
      ),
  }),
  flood(3, "thousands of joins", {
    everyMs: 100,
    burst: ({ random }) =>
      times(40, () => request("$join", { topic: `room:${Math.floor(random() * 1e6)}`, recent: 100 })),
  }),
  {
    name: "malformed frames after the log-in",
    share: 1,
    socketsMax: 1,
    perSecond: 4,
    async run(attack) {
      const peer = await enter(attack, 4)
      if (peer === undefined) return "refused"
      const bad = [
        wsFrame(Buffer.concat([Buffer.of(0x41), bytes(attack.random, 40)])),
        wsFrame(bytes(attack.random, 40), { first: 0xf2 }),
        wsFrame(Buffer.from("text"), { first: 0x81 }),
        wsFrame(Buffer.alloc(0), { announced: 1n << 40n }),
        packed({ kind: "ack", handled: 1_000_000 }),
        packed({ kind: "sync", count: 99, digest: 99 }),
      ]
      peer.write(pick(attack.random, bad))
      await peer.closed
      return String(peer.closeCode ?? peer.error ?? "closed")
    },
  },
  {
    name: "a member that reads nothing",
    share: 1,
    // One account has one session.
    socketsMax: 1,
    perSecond: 1,
    async run(attack) {
      const peer = await enter(attack, 5)
      if (peer === undefined) return "refused"
      peer.stopReading()
      await peer.every(100, () => peer.write(request("mapChunks", { centerX: 40, centerY: 40, radius: 5 })))
      return String(peer.error ?? "unread")
    },
  },
]
