// A server whose frames the test sends, and which receives nothing.
import { TypeTable, clientMessageLimits, createFrameCodec, serverMessageLimits } from "@hawser/protocol/core"
import type { Codec, Connection, Dial, DialEvents, Frame, Profile } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"

export interface ScriptedServer {
  readonly dial: Dial
  readonly codec: Codec
  /** Completes the last dial. */
  open(): void
  send(frame: Frame): void
  welcome(): void
  close(code: number): void
}

const sink: Connection = {
  bufferedBytes: 0,
  send: () => true,
  close: () => {},
  terminate: () => {},
  pause: () => {},
  resume: () => {},
}

/** The codec contains one message type, the event `note`. */
export function scriptedServer(profile: Profile): ScriptedServer {
  const codec =
    profile === "2.0"
      ? createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs: () => 0 })
      : createFrameCodec(new TypeTable(["note"]), clientMessageLimits)
  let last: DialEvents | undefined
  const caller = (): DialEvents => {
    if (last === undefined) throw new Error("no client has dialled")
    return last
  }
  const send = (frame: Frame): void => caller().message(codec.encode(frame))
  return {
    codec,
    send,
    dial(_url, _protocols, events) {
      last = events
      return sink
    },
    open: () => caller().open(""),
    welcome: () =>
      send({
        kind: "welcome",
        sessionId: "s",
        resumeToken: "t",
        resumed: false,
        received: 0,
        handled: 0,
        digest: 0,
        expiresInMs: null,
        limits: serverMessageLimits,
        types: ["note"],
      }),
    close: (code) => caller().closed(code, ""),
  }
}
