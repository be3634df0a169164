// Socket.IO 4 over Engine.IO 4, WebSocket only, with the default parser: texts such as `421["move",{…}]`.
import type { Arrival, Dialect, Driver, DriverOptions, Request } from "./driver.ts"
import { opcode } from "./frame-parser.ts"
import { RequestTemplate, firstNumber, maskedFrame, textNumber, textSlots } from "./frame-writer.ts"

/** First characters: Engine.IO's open, ping and message; then Socket.IO's connect, event, acknowledgement, refusal. */
const engine = { open: 0x30, ping: 0x32, message: 0x34 } as const
const packet = { connect: 0x30, event: 0x32, acknowledgement: 0x33, refusal: 0x34 } as const

const pong = maskedFrame(Buffer.from("3"), opcode.text)

class SocketIoDriver implements Driver {
  readonly #options: DriverOptions

  constructor(options: DriverOptions) {
    this.#options = options
  }

  /** The server speaks first. */
  opened(): void {}

  receive(bytes: Buffer, start: number, end: number): Arrival {
    const { token, send } = this.#options
    switch (bytes[start] ?? 0) {
      case engine.message:
        return arrivalOf(bytes, start + 1, end)
      case engine.ping:
        send(pong)
        return "other"
      case engine.open:
        send(maskedFrame(Buffer.from(`40${JSON.stringify({ token })}`), opcode.text))
        return "other"
      default:
        throw new Error(`unexpected packet: ${bytes.toString("latin1", start, end)}`)
    }
  }

  template({ name, fields }: Request): RequestTemplate {
    const payload = Buffer.from(`42${firstNumber}${JSON.stringify([name, { n: firstNumber, ...fields }])}`)
    return new RequestTemplate(payload, textSlots(payload), opcode.text)
  }

  sent(): undefined {}

  numberIn(bytes: Buffer, start: number, end: number): number {
    return textNumber(bytes, start, end)
  }

  flush(): void {}
}

function arrivalOf(bytes: Buffer, at: number, end: number): Arrival {
  switch (bytes[at] ?? 0) {
    case packet.event:
      return "event"
    case packet.acknowledgement:
      return "reply"
    case packet.connect:
      return "ready"
    default:
      throw new Error(`the server refused: ${bytes.toString("latin1", at, end)}`)
  }
}

export const socketIoPath = "/socket.io/?EIO=4&transport=websocket"

export const socketIoDialect: Dialect = {
  locate: () => Promise.resolve({ path: socketIoPath }),
  createDriver: (options) => new SocketIoDriver(options),
}
