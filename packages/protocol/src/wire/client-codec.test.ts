import { encode } from "@msgpack/msgpack"
import { describe, expect, it } from "vitest"
import { createClientCodec } from "./client-codec.ts"
import { frameByte } from "./frame-byte.ts"
import { createFrameCodec } from "./frame-codec.ts"
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import { TypeTable } from "./type-table.ts"

const types = new TypeTable(["move"])
const client = createClientCodec(types, { reads: clientMessageLimits, writes: serverMessageLimits })
const server = createFrameCodec(types, serverMessageLimits, clientMessageLimits)

describe("the codec of a client", () => {
  it("encodes and decodes as the codec of all frames does", () => {
    const request = {
      kind: "request",
      call: undefined,
      type: "move",
      payload: 1,
      budgetMs: 5,
      reference: 3,
    } as const
    expect(server.decode(client.encode(request), 3)).toEqual(request)
    const event = { kind: "event", type: "move", payload: { x: 1 } } as const
    expect(client.decode(server.encode(event), 1)).toEqual(event)
    const ping = { kind: "ping", number: 1, handled: 2 } as const
    expect(client.decode(client.encode(ping), 0)).toEqual(ping)
  })

  it.each(["hello", "auth", "have", "void", "request", "cancel", "credit"] as const)(
    "takes a frame that only clients send as bad: %s",
    (name) => {
      const byte = frameByte[name]
      const shown = `0x${byte.toString(16).padStart(2, "0")}`
      expect(client.decode(Uint8Array.of(byte, ...encode([1, 2, 3])), 1)).toMatchObject({
        kind: "bad",
        error: { message: `frame ${shown} (${name}) is not for this end` },
      })
    },
  )

  it("ignores control frames of a later version, and names unknown frames", () => {
    expect(client.decode(Uint8Array.of(0x11, ...encode([])), 0)).toEqual({ kind: "unknownControl" })
    expect(client.decode(Uint8Array.of(0x48, ...encode([])), 0)).toMatchObject({
      error: { message: "unknown frame 0x48" },
    })
  })
})
