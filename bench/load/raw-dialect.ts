// The raw `ws` servers: MessagePack maps `{ t, n, … }`, and the token in the first message, as in Hawser.
import { encode } from "@msgpack/msgpack"
import type { Arrival, Dialect, Driver, DriverOptions, Request } from "./driver.ts"
import { RequestTemplate, binaryNumber, binarySlots, firstNumber, maskedFrame } from "./frame-writer.ts"

const typeByte = { reply: 0x72, event: 0x65, welcome: 0x77 } as const

class RawDriver implements Driver {
  readonly #options: DriverOptions

  constructor(options: DriverOptions) {
    this.#options = options
  }

  opened(): void {
    const { token, send } = this.#options
    send(maskedFrame(encode({ t: "hello", token })))
  }

  receive(bytes: Buffer, start: number): Arrival {
    // The world's updates are JSON.
    if (bytes[start] === 0x7b) return "event"
    // A map that begins with the key `t`, whose value is a text of one letter.
    switch (bytes[start + 4] ?? 0) {
      case typeByte.event:
        return "event"
      case typeByte.reply:
        return "reply"
      case typeByte.welcome:
        return "ready"
      default:
        return "other"
    }
  }

  template({ name, fields }: Request): RequestTemplate {
    const payload = Buffer.from(encode({ t: name, n: firstNumber, ...fields }))
    return new RequestTemplate(payload, binarySlots(payload))
  }

  sent(): undefined {}

  numberIn(bytes: Buffer, start: number, end: number): number {
    return binaryNumber(bytes, start, end)
  }

  flush(): void {}
}

export const rawDialect: Dialect = {
  locate: () => Promise.resolve({ path: "/ws" }),
  createDriver: (options) => new RawDriver(options),
}
