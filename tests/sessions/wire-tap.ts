// Between a real client and its socket: keeps the frames of both directions, loses or changes what the test says, and
// lets it speak in the server's name.
import type { BadFrame, Dial, DialEvents, Frame, HelloFrame } from "@hawser/protocol/core"
import { codec } from "./scripted-client.ts"

type Seen = Frame | BadFrame

export class WireTap {
  /** What the client said and what was on its way to it, on all of its connections. */
  readonly said: Seen[] = []
  readonly heard: Seen[] = []
  /** What the client is given instead of a frame; undefined loses it. */
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
          this.heard.push(frame)
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
          this.said.push(codec.decode(message.bytes, 0))
          return connection.send(message)
        },
        close: (code, reason) => connection.close(code, reason),
        terminate: () => connection.terminate(),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
      }
    }
  }

  /** On the client's newest connection. */
  sayAsServer(frame: Frame): void {
    this.sayBytesAsServer(codec.encode(frame))
  }

  sayBytesAsServer(bytes: Uint8Array): void {
    this.#last?.message(bytes)
  }

  /** Every HELLO of the client, in order. */
  get hellos(): HelloFrame[] {
    return this.said.filter((frame) => frame.kind === "hello")
  }

  /** The newest resume token that was on its way to the client. */
  get token(): string {
    const welcome = this.heard.findLast((frame) => frame.kind === "welcome")
    return welcome?.resumeToken ?? ""
  }
}
