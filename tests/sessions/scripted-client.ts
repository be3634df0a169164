// A client of `hawser.1` whose frames the test sends: it sends any HELLO, records received frames, and acknowledges
// nothing by itself.
import {
  TypeTable,
  clientMessageLimits,
  contractTypes,
  createFrameCodec,
  wireVersion,
} from "@hawser/protocol/core"
import type { BadFrame, Connection, Frame, HelloFrame, WelcomeFrame } from "@hawser/protocol/core"
import { contract } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"

/** Has the numbers of the types in advance. Holds no state of a connection. */
export const codec = createFrameCodec(new TypeTable(contractTypes(contract)), clientMessageLimits)

export class ScriptedClient {
  readonly received: (Frame | BadFrame)[] = []
  /** Codes with which the socket was closed; one at most. */
  readonly closes: number[] = []
  readonly #connection: Connection

  constructor({ network }: World, onOpen: (client: ScriptedClient) => void) {
    this.#connection = network.dial("", ["hawser.1"], {
      open: () => onOpen(this),
      message: (bytes) => this.received.push(codec.decode(bytes, 0)),
      text: () => {},
      drained: () => {},
      pong: () => {},
      closed: (code) => this.closes.push(code),
    })
  }

  send(frame: Frame): void {
    this.#connection.send({ bytes: codec.encode(frame) })
  }

  /** Ends the connection as a broken network does. */
  cut(): void {
    this.#connection.terminate()
  }

  get welcome(): WelcomeFrame | undefined {
    return this.received.find((frame) => frame.kind === "welcome")
  }

  /** Code of the BYE that it received. */
  get refusal(): string | undefined {
    return this.received.find((frame) => frame.kind === "bye")?.code
  }
}

/** Defaults of a HELLO. */
const plainHello: HelloFrame = {
  kind: "hello",
  version: wireVersion,
  token: "ann",
  reference: null,
  clientId: "scripted",
  dial: 1,
}

/** Sends HELLO as soon as its socket is open. */
export function sendHelloLater(world: World, hello: Partial<HelloFrame> = {}): ScriptedClient {
  return new ScriptedClient(world, (opened) => opened.send({ ...plainHello, ...hello }))
}

/** Sends HELLO, and waits for its effects where the network has no latency. */
export async function sendHello(world: World, hello: Partial<HelloFrame> = {}): Promise<ScriptedClient> {
  const client = sendHelloLater(world, hello)
  await world.clock.settle()
  return client
}
