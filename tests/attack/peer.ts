// A raw TCP socket of an attacker: writes any bytes, may stop reading, and never throws. Must not know kinds of attack.
import { connect } from "node:net"
import type { Socket } from "node:net"

/** Bytes of the answers that are kept; the rest is counted and dropped. */
const keptMaxBytes = 4_096

export interface PeerOptions {
  readonly host: string
  readonly port: number
  readonly localAddress: string
}

export class Peer {
  readonly #socket: Socket
  readonly #openedAtMs = performance.now()
  readonly #watchers = new Set<() => void>()
  #kept: Buffer = Buffer.alloc(0)
  #receivedBytes = 0
  #heldMs = 0
  #error: string | undefined
  /** True once the attacker itself has closed the socket. */
  #left = false
  readonly closed: Promise<void>

  constructor({ host, port, localAddress }: PeerOptions) {
    this.#socket = connect({ host, port, localAddress, noDelay: true })
    this.#socket.on("error", (error) => (this.#error = "code" in error ? String(error.code) : error.name))
    this.#socket.on("data", (chunk) => this.#receive(chunk))
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#heldMs = performance.now() - this.#openedAtMs
        this.#wake()
        resolve()
      })
    })
  }

  /** Code of the socket's error, if it had one. */
  get error(): string | undefined {
    return this.#error
  }

  get isClosed(): boolean {
    return this.#socket.closed
  }

  get hasLeft(): boolean {
    return this.#left
  }

  /** Milliseconds from the dial to the close; to the present while it is open. */
  get heldMs(): number {
    return this.isClosed ? this.#heldMs : performance.now() - this.#openedAtMs
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Status of the first HTTP answer; 0 before it. */
  get status(): number {
    return Number(/^HTTP\/1\.\d (\d{3})/.exec(this.#kept.toString("latin1", 0, 12))?.[1] ?? 0)
  }

  write(content: string | Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(content)
  }

  /** Bytes in this process's send buffer because the server does not read. */
  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  stopReading(): void {
    this.#socket.pause()
  }

  /** Resolves when the condition holds, or the socket is closed. */
  async until(condition: () => boolean): Promise<void> {
    while (!this.isClosed && !condition()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake)
          resolve()
        }
        this.#watchers.add(wake)
      })
    }
  }

  /** Repeats an action until the socket is closed. */
  async every(ms: number, action: () => void): Promise<void> {
    const timer = setInterval(() => {
      if (this.#socket.writable) action()
    }, ms)
    await this.closed
    clearInterval(timer)
  }

  /** Resolves with the status of the answer; 0 if the socket is closed without one. */
  async answer(): Promise<number> {
    await this.until(() => this.status > 0)
    return this.status
  }

  /** Sends an upgrade and resolves with the status of the answer. */
  async upgrade(
    host: string,
    headers: readonly string[] = ["Sec-WebSocket-Protocol: hawser.1"],
  ): Promise<number> {
    this.write(upgradeOf(host, headers))
    return await this.answer()
  }

  /** Code of the server's close frame, its last frame; undefined without one. */
  get closeCode(): number | undefined {
    for (let at = this.#kept.length - 4; at >= 0; at -= 1) {
      const length = this.#kept[at + 1] ?? 0
      if (this.#kept[at] === 0x88 && length >= 2 && at + 2 + length === this.#kept.length)
        return this.#kept.readUInt16BE(at + 2)
    }
    return undefined
  }

  leave(): void {
    this.#left = true
    this.#socket.destroy()
  }

  /** Ends the connection by RST. */
  reset(): void {
    this.#left = true
    this.#socket.resetAndDestroy()
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
    const kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    // Keeps the head of the first answer and the end of the last one.
    this.#kept =
      kept.length <= keptMaxBytes
        ? kept
        : Buffer.concat([kept.subarray(0, keptMaxBytes / 2), kept.subarray(-keptMaxBytes / 2)])
    this.#wake()
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

export function upgradeOf(host: string, headers: readonly string[], path = "/ws"): string {
  return requestOf(`GET ${path}`, host, [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  ])
}

export function requestOf(line: string, host: string, headers: readonly string[]): string {
  return `${[`${line} HTTP/1.1`, `Host: ${host}`, ...headers].join("\r\n")}\r\n\r\n`
}

export interface FrameShape {
  /** First byte: FIN, reserved bits and opcode; default a whole binary message. */
  readonly first?: number
  readonly isMasked?: boolean
  /** Length that the header announces; default the content's. */
  readonly announced?: bigint
}

/** A WebSocket frame of a client, with a mask of zeros. */
export function wsFrame(content: Uint8Array, shape: FrameShape = {}): Buffer {
  const { first = 0x82, isMasked = true, announced = BigInt(content.length) } = shape
  const bit = isMasked ? 0x80 : 0
  const head = Buffer.alloc(announced < 126n ? 2 : announced < 65_536n ? 4 : 10)
  head[0] = first
  if (head.length === 2) head[1] = bit | Number(announced)
  else if (head.length === 4) {
    head[1] = bit | 126
    head.writeUInt16BE(Number(announced), 2)
  } else {
    head[1] = bit | 127
    head.writeBigUInt64BE(announced, 2)
  }
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), content])
}
