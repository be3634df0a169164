// `hawser.1` as the product's client implements it: HELLO, a budget in every request, acknowledgements of messages
// after 128 of them, 64 KiB or half a second, of state at first and twice a second, and a SYNC with the digest after
// 256 messages (docs/protocol.md, sections 4 to 6).
import { clientMessageLimits, hashMessage } from "@hawser/protocol/core"
import { decode, encode } from "@msgpack/msgpack"
import { randomUUID } from "node:crypto"
import { z } from "zod"
import type { Arrival, Dialect, Driver, DriverOptions, Request } from "./driver.ts"
import { RequestTemplate, binaryNumber, binarySlots, firstNumber, maskedFrame } from "./frame-writer.ts"

const frame = {
  hello: 0x01,
  welcome: 0x02,
  ack: 0x06,
  sync: 0x0b,
  request: 0x41,
  reply: 0x42,
  bye: 0x0d,
} as const
const reliableClass = 0x40
const stateClass = 0x80
/**
 * The product's client batches the first frames for some milliseconds by a timer; this driver acknowledges each of
 * them.
 */
const firstStateFrames = 4
const ackEveryCount = 128
const ackEveryBytes = 64 * 1024
const syncEveryCount = 256
const budgetMs = 10_000

const welcomeTypes = z.array(z.unknown()).transform((fields) => z.array(z.string()).parse(fields[8]))

function frameOf(byte: number, fields: readonly unknown[]): Buffer {
  return maskedFrame(Buffer.concat([Buffer.from([byte]), encode(fields)]))
}

class HawserDriver implements Driver {
  readonly #options: DriverOptions
  readonly #types: { names: readonly string[] }
  #received = 0
  #toldHandled = 0
  #untoldBytes = 0
  #stateFrames = 0
  #toldStateFrames = 0
  #sent = 0
  #digest = 0

  constructor(options: DriverOptions, types: { names: readonly string[] }) {
    this.#options = options
    this.#types = types
  }

  opened(): void {
    const { token, send } = this.#options
    const { maxBytes, maxDepth, maxElements, maxKeyBytes } = clientMessageLimits
    const limits = [maxBytes, maxDepth, maxElements, maxKeyBytes]
    send(frameOf(frame.hello, [1, token, null, randomUUID(), 1, limits]))
  }

  receive(bytes: Buffer, start: number, end: number): Arrival {
    const byte = bytes[start] ?? 0
    if ((byte & 0xc0) === reliableClass) {
      this.#received += 1
      this.#untoldBytes += end - start
      if (this.#received - this.#toldHandled >= ackEveryCount || this.#untoldBytes >= ackEveryBytes)
        this.flush()
      return byte === frame.reply ? "reply" : "event"
    }
    if ((byte & 0xc0) === stateClass) {
      this.#stateFrames += 1
      if (this.#stateFrames <= firstStateFrames) this.flush()
      return "event"
    }
    if (byte === frame.welcome) {
      if (this.#types.names.length === 0)
        this.#types.names = welcomeTypes.parse(decode(bytes.subarray(start + 1, end)))
      return "ready"
    }
    if (byte === frame.bye) throw new Error(`BYE ${JSON.stringify(decode(bytes.subarray(start + 1, end)))}`)
    return "other"
  }

  template({ name, fields }: Request): RequestTemplate {
    const type = this.#types.names.indexOf(name)
    const body = encode([type, { n: firstNumber, ...fields }, budgetMs])
    const payload = Buffer.concat([Buffer.from([frame.request]), body])
    return new RequestTemplate(payload, binarySlots(payload))
  }

  sent({ payload }: RequestTemplate): Buffer | undefined {
    const turned = (this.#digest << 5) | (this.#digest >>> 27)
    this.#digest = Math.imul(turned ^ hashMessage(payload), 0x9e3779b1) >>> 0
    this.#sent += 1
    return this.#sent % syncEveryCount === 0 ? frameOf(frame.sync, [this.#sent, this.#digest]) : undefined
  }

  numberIn(bytes: Buffer, start: number, end: number): number {
    return binaryNumber(bytes, start, end)
  }

  flush(): void {
    if (this.#received === this.#toldHandled && this.#stateFrames === this.#toldStateFrames) return
    this.#toldHandled = this.#received
    this.#toldStateFrames = this.#stateFrames
    this.#untoldBytes = 0
    const counts = this.#stateFrames === 0 ? [this.#received] : [this.#received, this.#stateFrames]
    this.#options.send(frameOf(frame.ack, counts))
  }
}

/** The table of types is the same for all connections to one server and is read from the first WELCOME. */
export function createHawserDialect(): Dialect {
  const types: { names: readonly string[] } = { names: [] }
  return {
    locate: () => Promise.resolve({ path: "/ws", subprotocol: "hawser.1" }),
    createDriver: (options) => new HawserDriver(options, types),
  }
}
