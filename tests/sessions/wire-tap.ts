// A tap between a real client and its socket: records the frames of both directions, drops or changes some for the
// test, and sends frames in the server's name.
import type { BadFrame, Dial, DialEvents, Frame, HelloFrame } from "@hawser/protocol/core"
import { codec } from "./scripted-client.ts"

type Seen = Frame | BadFrame

export class WireTap {
  /** Frames from the client and frames to it, on all of its connections. */
  readonly sent: Seen[] = []
  readonly received: Seen[] = []
  /** Replaces a frame to the client; undefined drops it. */
  change: (frame: Seen) => Seen | undefined = (frame) => frame
  readonly dial: Dial
  #last: DialEvents | undefined

  constructor(dial: Dial) {
    this.dial = (url, protocols, events) => {
      this.#last = events
      const connection = dial(url, protocols, {
        ...events,
        message: (bytes) => {
          const frame = codec.decode(bytes, 0)
          this.received.push(frame)
          const changed = this.change(frame)
          if (changed === frame) events.message(bytes)
          else if (changed !== undefined && changed.kind !== "bad") events.message(codec.encode(changed))
        },
      })
      return {
        get bufferedBytes() {
          return connection.bufferedBytes
        },
        send: (message) => {
          this.sent.push(codec.decode(message.bytes, 0))
          return connection.send(message)
        },
        close: (code, reason) => connection.close(code, reason),
        terminate: () => connection.terminate(),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
      }
    }
  }

  /** Sends a frame on the client's newest connection. */
  sendAsServer(frame: Frame): void {
    this.sendBytesAsServer(codec.encode(frame))
  }

  sendBytesAsServer(bytes: Uint8Array): void {
    this.#last?.message(bytes)
  }

  /** Every HELLO of the client, in order. */
  get hellos(): HelloFrame[] {
    return this.sent.filter((frame) => frame.kind === "hello")
  }

  /** Resume token of the newest WELCOME to the client. */
  get token(): string {
    const welcome = this.received.findLast((frame) => frame.kind === "welcome")
    return welcome?.resumeToken ?? ""
  }
}
