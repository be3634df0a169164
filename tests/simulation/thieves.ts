// Clients with false claims: a forged claim, another user's, a copied page's.
import { defaultClientLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec } from "@hawser/protocol/core"
import type { HelloFrame } from "@hawser/protocol/core"
import { SimulatedProcess } from "@hawser/protocol/testing"
import type { ClientEnd } from "./client-end.ts"
import type { Simulation } from "./simulation.ts"

const codec = createFrameCodec(new TypeTable(), defaultClientLimits.message)

export class Thieves {
  readonly #run: Simulation

  constructor(run: Simulation) {
    this.#run = run
  }

  /** Sends HELLO on a separate socket and ignores all answers. */
  #say(hello: HelloFrame, isForged: boolean): void {
    const { network, clock, draw, forged } = this.#run
    const process = new SimulatedProcess(clock)
    const connection = network.dialFrom(process, "10.9.9.9")("ws://simulated", ["hawser.1"], {
      open: () => {
        connection.send({ bytes: codec.encode(hello) })
      },
      message() {},
      text() {},
      drained() {},
      pong() {},
      closed() {},
    })
    const socket = [...network.sockets].at(-1)
    if (isForged && socket !== undefined) forged.add(socket)
    clock.schedule(draw.scale(100, 5_000), () => connection.terminate())
  }

  #copyOf(client: ClientEnd | undefined): HelloFrame | undefined {
    const watched = client === undefined ? undefined : this.#run.watchedOf(client)
    const bytes = watched === undefined ? undefined : this.#run.watch.lastHelloOf(watched)
    const frame = bytes === undefined ? undefined : codec.decode(bytes, 0)
    return frame?.kind === "hello" && frame.resume !== undefined ? frame : undefined
  }

  /** Sends another user's claim, or one of another server: it must have no effect. */
  forge(client: ClientEnd | undefined): void {
    const { draw } = this.#run
    const copy = this.#copyOf(client)
    if (copy?.resume === undefined) return
    const { resume } = copy
    this.#run.trace.add("FAULT", "forgery for", resume.sessionId)
    const kind = draw.random()
    if (kind < 0.4) {
      this.#say({ ...copy, clientId: "thief", token: "thief|", dial: copy.dial + 1_000 }, true)
      return
    }
    const place = draw.whole(0, resume.token.length - 1)
    const letter = resume.token[place] === "A" ? "B" : "A"
    const token = `${resume.token.slice(0, place)}${letter}${resume.token.slice(place + 1)}`
    this.#say({ ...copy, clientId: "thief", resume: { ...resume, token }, dial: copy.dial + 1_000 }, true)
  }

  /** A copied page: the same token at another client. */
  clone(client: ClientEnd | undefined): void {
    const { draw, sessions } = this.#run
    const copy = this.#copyOf(client)
    if (copy?.resume === undefined) return
    const record = sessions.get(copy.resume.sessionId)
    if (record === undefined) return
    this.#run.trace.add("FAULT", "clone of", record.id)
    record.isAttacked = true
    // A copied page has another client id; a HELLO with the old id is an old message.
    if (draw.chance(0.3)) this.#say({ ...copy, dial: Math.max(0, copy.dial - draw.whole(0, 2)) }, false)
    else this.#say({ ...copy, clientId: "clone", dial: copy.dial + draw.whole(0, 5) }, false)
  }
}
