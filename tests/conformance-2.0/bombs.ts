// Section 12.10 and hostile MessagePack: small frames that make an unguarded decoder allocate, recurse or pollute.
import { encode } from "@msgpack/msgpack"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { isReply } from "./frame.ts"
import { connect, enter } from "./player.ts"
import type { RawClient } from "./raw-client.ts"
import { expectError, expectReplyWithContent } from "./reply.ts"

/** A message whose payload is these raw bytes. */
function messageWith(payload: Uint8Array): Uint8Array {
  const parts = [
    Uint8Array.of(0x83),
    encode("id"),
    encode("bomb"),
    encode("type"),
    encode("cmd_move"),
    encode("payload"),
    payload,
  ]
  return Buffer.concat(parts)
}

function repeated(header: readonly number[], count: number): Uint8Array {
  return Uint8Array.from({ length: header.length * count }, (_, index) => header[index % header.length] ?? 0)
}

const bombs: readonly (readonly [string, Uint8Array])[] = [
  ["twenty nested headers of arrays of 16 million items", repeated([0xdd, 0x00, 0xff, 0xff, 0xff], 20)],
  ["twenty nested headers of arrays of 2^32-1 items", repeated([0xdd, 0xff, 0xff, 0xff, 0xff], 20)],
  ["a payload of the same nested headers", messageWith(repeated([0xdd, 0x00, 0xff, 0xff, 0xff], 20))],
  ["one header of an array of 2^32-1 items", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["one header of a map of 2^32-1 pairs", Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["one header of a text of 2^32-1 bytes", Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["one header of a binary of 2^32-1 bytes", Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ["60,000 nested arrays of one item", repeated([0x91], 60_000)],
  ["a map with an integer key", messageWith(Uint8Array.of(0x81, 0x01, 0x02))],
  ["a map with a nil key", messageWith(Uint8Array.of(0x81, 0xc0, 0x02))],
  ["a map with the key __proto__", messageWith(encode({ ["__proto__"]: { direction: "UP" } }))],
  [
    "an envelope with the key __proto__",
    encode({ ["__proto__"]: { type: "query_stats" }, id: "bomb", payload: {} }),
  ],
  ["an ext value in the payload", messageWith(Uint8Array.of(0x81, ...encode("direction"), 0xd4, 0x05, 0x00))],
  ["an ext value alone", Uint8Array.of(0xc7, 0x00, 0x7f)],
  ["a text that is not UTF-8", messageWith(Uint8Array.of(0x81, ...encode("direction"), 0xa2, 0xc3, 0x28))],
]

/** Requires a resp_error or a close, and that a fresh player is served after it. */
async function expectSurvived(context: CaseContext, client: RawClient): Promise<void> {
  // The wait for a reply also fails if the socket is closed, which is as valid an answer as an error.
  const reply = await client.waitFor("a resp_error or a close", isReply).catch(() => undefined)
  if (reply === undefined) await client.waitForClose("a resp_error or a close")
  else expectError(reply)
  const { client: fresh } = await enter(context)
  expectReplyWithContent(await fresh.request("query_stats", {}))
}

export const bombCases = bombs.map(([what, bytes]): ConformanceCase => ({
  name: `survives ${what}, from a player and as a first frame`,
  section: "12.10",
  run: async (context) => {
    const { client } = await enter(context)
    client.sendBytes(bytes)
    await expectSurvived(context, client)
    const stranger = await connect(context)
    stranger.sendBytes(bytes)
    await expectSurvived(context, stranger)
  },
}))
