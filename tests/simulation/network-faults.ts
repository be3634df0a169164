// Faults of the network: resets, cuts, half-open and blocked sockets, slow lines, storms.
import { FaultKit } from "./fault-kit.ts"

export class NetworkFaults extends FaultKit {
  reset(): void {
    const { draw } = this.run
    const socket = this.socket()
    this.note("reset", socket?.number)
    socket?.lose({ clientInMs: draw.between(0, 20), serverInMs: draw.between(0, 20) })
  }

  #loss() {
    const { draw } = this.run
    const when = (): number | undefined => (draw.chance(0.6) ? draw.between(0, 3_000) : undefined)
    return draw.chance(0.5)
      ? { clientInMs: draw.between(0, 10), serverInMs: draw.between(0, 10) }
      : { clientInMs: when(), serverInMs: when() }
  }

  cutAtByte(): void {
    const { draw } = this.run
    const bytes = draw.whole(0, draw.chance(0.5) ? 30 : 400)
    const side = this.side()
    const socket = this.socket()
    this.note("cut", socket?.number, "after", bytes, "bytes from", side)
    socket?.cutAfter(side, bytes, this.#loss())
  }

  /** Cuts the next sockets early: in HELLO, in WELCOME, in the replay. */
  cutNewSockets(): void {
    const { draw, network } = this.run
    const known = network.sockets
    const before = new Set(known)
    this.note("cut new sockets")
    for (const socket of known) if (draw.chance(0.5)) socket.lose({ clientInMs: 1, serverInMs: undefined })
    let left = draw.whole(1, 5)
    const look = (): void => {
      if (this.run.isQuiet) return
      for (const socket of network.sockets) {
        if (before.has(socket) || left === 0) continue
        before.add(socket)
        left -= 1
        socket.cutAfter(draw.chance(0.2) ? "client" : "server", draw.whole(1, 400), this.#loss())
      }
      if (left > 0) this.after(3, look)
    }
    look()
  }

  /** Makes a client abandon a socket whose HELLO is still under way: it arrives long after its successor's. */
  lateHello(): void {
    const { draw, network } = this.run
    const client = this.client()
    if (client === undefined) return
    const before = new Set(network.sockets)
    this.note("late HELLO of", client.userId)
    for (const socket of before) {
      if (socket.clientProcess === client.process) socket.lose({ clientInMs: 1, serverInMs: 1 })
    }
    let tries = 200
    const look = (): void => {
      tries -= 1
      if (this.run.isQuiet || tries === 0) return
      for (const socket of network.sockets) {
        if (before.has(socket) || socket.clientProcess !== client.process) continue
        socket.pipeFrom("client").block()
        if (socket.client.state !== "open") break
        const helloBytes = socket.pipeFrom("client").pendingBytes
        this.after(draw.scale(1, 50), () => client.process.run(() => client.client.cut()))
        this.after(draw.scale(100, 1_500), () => {
          // The client's close of the socket does not arrive.
          const isUnknown = draw.chance(0.7)
          if (isUnknown)
            socket.cutAfter("client", helloBytes, { clientInMs: undefined, serverInMs: undefined })
          socket.pipeFrom("client").unblock()
        })
        return
      }
      this.after(2, look)
    }
    look()
  }

  /** A client loses one connection after the other, and the server never gets a close. */
  takeovers(): void {
    const { draw, network } = this.run
    const client = this.client()
    this.note("takeovers of", client?.userId)
    let left = draw.whole(2, 8)
    const next = (): void => {
      for (const socket of network.sockets) {
        if (socket.clientProcess === client?.process && socket.client.state === "open")
          socket.lose({ clientInMs: 0, serverInMs: undefined })
      }
      left -= 1
      if (left > 0 && !this.run.isQuiet) this.after(draw.scale(20, 600), next)
    }
    next()
  }

  halfOpen(): void {
    const { draw } = this.run
    const socket = this.socket()
    const first = this.side()
    this.note("half-open", socket?.number, "for", first)
    const late = draw.chance(0.5) ? draw.between(0, 60_000) : undefined
    const soon = draw.chance(0.7) ? draw.between(0, 10) : undefined
    socket?.lose(
      first === "client" ? { clientInMs: late, serverInMs: soon } : { clientInMs: soon, serverInMs: late },
    )
  }

  blackHole(): void {
    const socket = this.socket()
    const side = this.side()
    this.note("black hole", socket?.number, "from", side)
    socket?.pipeFrom(side).swallow()
  }

  blockade(): void {
    const { draw } = this.run
    const socket = this.socket()
    const side = this.side()
    this.note("blockade", socket?.number, "from", side)
    const pipe = socket?.pipeFrom(side)
    pipe?.block()
    this.after(draw.scale(20, 5_000), () => pipe?.unblock())
  }

  changeLine(): void {
    const { draw } = this.run
    const socket = this.socket()
    const side = this.side()
    this.note("line", socket?.number, "from", side)
    const line = socket?.pipeFrom(side).line
    if (line === undefined) return
    line.latencyMs = draw.scale(1, 2_000)
    line.bytesPerMs = draw.chance(0.5) ? 0 : draw.scale(1, 100) / 10
    this.after(draw.scale(50, 5_000), () => {
      line.latencyMs = 5
      line.bytesPerMs = 0
    })
  }

  storm(): void {
    const { draw, network, plan } = this.run
    this.note("storm")
    Object.assign(network.weather, { refusedShare: draw.between(0, 0.8), lostShare: draw.between(0, 0.2) })
    this.after(draw.scale(50, 3_000), () => {
      if (!this.run.isQuiet) Object.assign(network.weather, plan.weather)
    })
  }
}
