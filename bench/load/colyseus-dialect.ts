// Colyseus 0.18: the client reserves a seat by HTTP with its token, as Colyseus' own client sends it, then joins the
// room's WebSocket. Codes and layouts are those of @colyseus/shared-types (Protocol) and @colyseus/core
// (getMessageBytes).
import { encode } from "@msgpack/msgpack"
import { request } from "node:http"
import { z } from "zod"
import type { Address, Arrival, Dialect, Driver, DriverOptions, Request } from "./driver.ts"
import { RequestTemplate, binaryNumber, binarySlots, firstNumber, maskedFrame } from "./frame-writer.ts"

const code = {
  joinRoom: 10,
  error: 11,
  data: 13,
  state: 14,
  patch: 15,
  request: 21,
  response: 22,
} as const

const seat = z.object({ sessionId: z.string(), roomId: z.string(), processId: z.string() })
const joined = maskedFrame(Buffer.from([code.joinRoom]))

interface ColyseusOptions {
  /** The room has a state: joining ends with the first snapshot, and each patch counts as an event. */
  readonly hasState: boolean
  readonly onMessage?: (bytes: Buffer) => void
}

class ColyseusDriver implements Driver {
  readonly #options: DriverOptions
  readonly #room: ColyseusOptions

  constructor(options: DriverOptions, room: ColyseusOptions) {
    this.#options = options
    this.#room = room
  }

  opened(): void {}

  receive(bytes: Buffer, start: number, end: number): Arrival {
    const { hasState } = this.#room
    switch (bytes[start] ?? 0) {
      case code.response:
        return "reply"
      case code.data:
        return "event"
      case code.patch:
        return "event"
      case code.joinRoom:
        this.#options.send(joined)
        return hasState ? "other" : "ready"
      case code.state:
        return "ready"
      default:
        throw new Error(`unexpected message: ${bytes.toString("latin1", start, end)}`)
    }
  }

  template({ name, fields }: Request): RequestTemplate {
    // A number of four bytes, little-endian, then a short text.
    const head = Buffer.alloc(6)
    head[0] = code.request
    head[1] = 0xce
    head.writeUInt32LE(firstNumber, 2)
    const type = Buffer.from([0xa0 | name.length, ...Buffer.from(name)])
    const payload = Buffer.concat([head, type, encode({ n: firstNumber, ...fields })])
    return new RequestTemplate(payload, [{ at: 2, format: "littleEndian" }, ...binarySlots(payload)])
  }

  sent(): undefined {}

  numberIn(bytes: Buffer, start: number, end: number): number {
    return binaryNumber(bytes, start, end)
  }

  flush(): void {}
}

/** Each client opens a separate connection for its HTTP request, as clients on separate computers do. */
function reserveSeat(port: number, token: string): Promise<Address> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      agent: false,
      method: "POST",
      path: "/matchmake/joinOrCreate/bench",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        Authorization: `Bearer ${token}`,
      },
    } as const
    const sent = request(options, (response) => {
      response.setEncoding("utf8")
      let text = ""
      response.on("data", (part: string) => (text += part))
      response.on("error", reject)
      response.on("end", () => {
        const parsed = seat.safeParse(JSON.parse(text))
        if (!parsed.success) return reject(new Error(`no seat: ${response.statusCode} ${text}`))
        const { processId, roomId, sessionId } = parsed.data
        resolve({ path: `/${processId}/${roomId}?sessionId=${sessionId}` })
      })
    })
    sent.on("error", reject)
    sent.end("{}")
  })
}

export function createColyseusDialect(room: ColyseusOptions): Dialect {
  return { locate: reserveSeat, createDriver: (options) => new ColyseusDriver(options, room) }
}
