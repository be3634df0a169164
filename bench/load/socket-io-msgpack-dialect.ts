// Socket.IO 4 with socket.io-msgpack-parser: Engine.IO's own packets are texts, Socket.IO's are MessagePack maps that
// begin with the key `type`, or with `id` in an acknowledgement.
import { encode } from "@msgpack/msgpack"
import type { Arrival, Dialect, Driver, DriverOptions, Request } from "./driver.ts"
import { opcode } from "./frame-parser.ts"
import { RequestTemplate, binaryNumber, binarySlots, firstNumber, maskedFrame } from "./frame-writer.ts"
import { socketIoPath } from "./socket-io-dialect.ts"

const engine = { open: 0x30, ping: 0x32 } as const
const packet = { connect: 0, event: 2 } as const
const textOfTwoBytes = 0xa2
/** A short map's header, the text `type` with its header, then the value. */
const typeAt = 6

const pong = maskedFrame(Buffer.from("3"), opcode.text)

class SocketIoMsgpackDriver implements Driver {
  readonly #options: DriverOptions

  constructor(options: DriverOptions) {
    this.#options = options
  }

  opened(): void {}

  receive(bytes: Buffer, start: number, end: number): Arrival {
    const { token, send } = this.#options
    const first = bytes[start]
    if (first === engine.open) {
      send(maskedFrame(encode({ type: packet.connect, data: { token }, nsp: "/" })))
      return "other"
    }
    if (first === engine.ping) {
      send(pong)
      return "other"
    }
    if (bytes[start + 1] === textOfTwoBytes) return "reply"
    switch (bytes[start + typeAt] ?? 0) {
      case packet.event:
        return "event"
      case packet.connect:
        return "ready"
      default:
        throw new Error(`unexpected packet: ${bytes.toString("latin1", start, end)}`)
    }
  }

  template({ name, fields }: Request): RequestTemplate {
    const data = [name, { n: firstNumber, ...fields }]
    const payload = Buffer.from(encode({ type: packet.event, data, id: firstNumber, nsp: "/" }))
    return new RequestTemplate(payload, binarySlots(payload))
  }

  sent(): undefined {}

  numberIn(bytes: Buffer, start: number, end: number): number {
    return binaryNumber(bytes, start, end)
  }

  flush(): void {}
}

export const socketIoMsgpackDialect: Dialect = {
  locate: () => Promise.resolve({ path: socketIoPath }),
  createDriver: (options) => new SocketIoMsgpackDriver(options),
}
