// All faults of a run, each at random times.
import { unwatched } from "@hawser/protocol/testing"
import type { Side, SimulatedSocket } from "@hawser/protocol/testing"
import type { ClientEnd } from "./client-end.ts"
import type { Simulation } from "./simulation.ts"
import { Thieves } from "./thieves.ts"

export class Faults {
  readonly #run: Simulation
  readonly #ordinary: readonly (() => void)[]
  readonly #grave: readonly (() => void)[]
  readonly #thieves: Thieves

  constructor(run: Simulation) {
    this.#run = run
    this.#thieves = new Thieves(run)
    this.#ordinary = [
      () => this.#reset(),
      () => this.#reset(),
      () => this.#cutAtByte(),
      () => this.#cutAtByte(),
      () => this.#cutNewSockets(),
      () => this.#halfOpen(),
      () => this.#blackHole(),
      () => this.#blockade(),
      () => this.#changeLine(),
      () => this.#freezeClient(),
      () => this.#freezeServer(),
      () => this.#rewrite(),
      () => this.#hideClient(),
      () => this.#pokeClient(),
      () => this.#badToken(),
      () => this.#jump(),
      () => this.#goAway(),
      () => this.#thieves.forge(this.#client()),
      () => this.#storm(),
      () => this.#lateHello(),
      () => this.#takeovers(),
    ]
    this.#grave = [
      () => this.#closeClient(),
      () => this.#kick(),
      () => this.#thieves.clone(this.#client()),
      () => this.#ping(),
      () => this.#secondLogin(),
      () => this.#restart(),
    ]
  }

  start(): void {
    const { clock, draw, plan } = this.#run
    clock.schedule(draw.gap(plan.faultEveryMs), () => {
      if (this.#run.isQuiet) return
      const faults = draw.chance(plan.graveFaultShare) ? this.#grave : this.#ordinary
      draw.pick(faults)?.()
      this.start()
    })
  }

  #socket(): SimulatedSocket | undefined {
    const { network, draw } = this.#run
    return draw.pick([...network.sockets])
  }

  #client(): ClientEnd | undefined {
    return this.#run.draw.pick(this.#run.clients)
  }

  #side(): Side {
    return this.#run.draw.chance(0.5) ? "client" : "server"
  }

  #after(ms: number, work: () => void): void {
    this.#run.clock.schedule(ms, work)
  }

  #note(...words: (string | number | undefined)[]): void {
    this.#run.trace.add("FAULT", ...words)
  }

  // --- of the network -------------------------------------------------------------------------------------------

  #reset(): void {
    const { draw } = this.#run
    const socket = this.#socket()
    this.#note("reset", socket?.number)
    socket?.lose({ clientInMs: draw.between(0, 20), serverInMs: draw.between(0, 20) })
  }

  #loss() {
    const { draw } = this.#run
    const when = (): number | undefined => (draw.chance(0.6) ? draw.between(0, 3_000) : undefined)
    return draw.chance(0.5)
      ? { clientInMs: draw.between(0, 10), serverInMs: draw.between(0, 10) }
      : { clientInMs: when(), serverInMs: when() }
  }

  #cutAtByte(): void {
    const { draw } = this.#run
    const bytes = draw.whole(0, draw.chance(0.5) ? 30 : 400)
    const side = this.#side()
    const socket = this.#socket()
    this.#note("cut", socket?.number, "after", bytes, "bytes from", side)
    socket?.cutAfter(side, bytes, this.#loss())
  }

  /** Cuts the next sockets early: in HELLO, in WELCOME, in the replay. */
  #cutNewSockets(): void {
    const { draw, network } = this.#run
    const known = network.sockets
    const before = new Set(known)
    this.#note("cut new sockets")
    for (const socket of known) if (draw.chance(0.5)) socket.lose({ clientInMs: 1, serverInMs: undefined })
    let left = draw.whole(1, 5)
    const look = (): void => {
      if (this.#run.isQuiet) return
      for (const socket of network.sockets) {
        if (before.has(socket) || left === 0) continue
        before.add(socket)
        left -= 1
        socket.cutAfter(draw.chance(0.2) ? "client" : "server", draw.whole(1, 400), this.#loss())
      }
      if (left > 0) this.#after(3, look)
    }
    look()
  }

  /** Makes a client abandon a socket whose HELLO is still under way: it arrives long after its successor's. */
  #lateHello(): void {
    const { draw, network } = this.#run
    const client = this.#client()
    if (client === undefined) return
    const before = new Set(network.sockets)
    this.#note("late HELLO of", client.userId)
    for (const socket of before) {
      if (socket.clientProcess === client.process) socket.lose({ clientInMs: 1, serverInMs: 1 })
    }
    let tries = 200
    const look = (): void => {
      tries -= 1
      if (this.#run.isQuiet || tries === 0) return
      for (const socket of network.sockets) {
        if (before.has(socket) || socket.clientProcess !== client.process) continue
        socket.pipeFrom("client").block()
        if (socket.client.state !== "open") break
        const helloBytes = socket.pipeFrom("client").pendingBytes
        this.#after(draw.scale(1, 50), () => client.process.run(() => client.client.cut()))
        this.#after(draw.scale(100, 1_500), () => {
          // The client's close of the socket does not arrive.
          const isUnknown = draw.chance(0.7)
          if (isUnknown)
            socket.cutAfter("client", helloBytes, { clientInMs: undefined, serverInMs: undefined })
          socket.pipeFrom("client").unblock()
        })
        return
      }
      this.#after(2, look)
    }
    look()
  }

  /** A client loses one connection after the other, and the server never gets a close. */
  #takeovers(): void {
    const { draw, network } = this.#run
    const client = this.#client()
    this.#note("takeovers of", client?.userId)
    let left = draw.whole(2, 8)
    const next = (): void => {
      for (const socket of network.sockets) {
        if (socket.clientProcess === client?.process && socket.client.state === "open")
          socket.lose({ clientInMs: 0, serverInMs: undefined })
      }
      left -= 1
      if (left > 0 && !this.#run.isQuiet) this.#after(draw.scale(20, 600), next)
    }
    next()
  }

  #halfOpen(): void {
    const { draw } = this.#run
    const socket = this.#socket()
    const first = this.#side()
    this.#note("half-open", socket?.number, "for", first)
    const late = draw.chance(0.5) ? draw.between(0, 60_000) : undefined
    const soon = draw.chance(0.7) ? draw.between(0, 10) : undefined
    socket?.lose(
      first === "client" ? { clientInMs: late, serverInMs: soon } : { clientInMs: soon, serverInMs: late },
    )
  }

  #blackHole(): void {
    const socket = this.#socket()
    const side = this.#side()
    this.#note("black hole", socket?.number, "from", side)
    socket?.pipeFrom(side).swallow()
  }

  #blockade(): void {
    const { draw } = this.#run
    const socket = this.#socket()
    const side = this.#side()
    this.#note("blockade", socket?.number, "from", side)
    const pipe = socket?.pipeFrom(side)
    pipe?.block()
    this.#after(draw.scale(20, 5_000), () => pipe?.unblock())
  }

  #changeLine(): void {
    const { draw } = this.#run
    const socket = this.#socket()
    const side = this.#side()
    this.#note("line", socket?.number, "from", side)
    const line = socket?.pipeFrom(side).line
    if (line === undefined) return
    line.latencyMs = draw.scale(1, 2_000)
    line.bytesPerMs = draw.chance(0.5) ? 0 : draw.scale(1, 100) / 10
    this.#after(draw.scale(50, 5_000), () => {
      line.latencyMs = 5
      line.bytesPerMs = 0
    })
  }

  #storm(): void {
    const { draw, network, plan } = this.#run
    this.#note("storm")
    Object.assign(network.weather, { refusedShare: draw.between(0, 0.8), lostShare: draw.between(0, 0.2) })
    this.#after(draw.scale(50, 3_000), () => {
      if (!this.#run.isQuiet) Object.assign(network.weather, plan.weather)
    })
  }

  // --- of processes ---------------------------------------------------------------------------------------------

  #freezeClient(): void {
    const { draw, seen } = this.#run
    const client = this.#client()
    if (client === undefined || client.process.isFrozen) return
    this.#note("client frozen", client.userId)
    if (client.client.current.state === "open") seen.saw("clientFrozen")
    const answersPings = draw.chance(0.75)
    client.process.freeze({ stopsClock: draw.chance(0.3), answersPings })
    const ms = draw.chance(0.5) ? draw.between(6_000, 12_000) : draw.scale(10, 3_000)
    this.#after(ms, () => {
      client.process.thaw()
      if (ms > 6_000) client.wokeAtMs = this.#run.clock.now()
    })
  }

  /** Hides a page: its timers run once a minute, or those that timers set do; its messages arrive. */
  #hideClient(): void {
    const { draw, seen } = this.#run
    const client = this.#client()
    if (client === undefined || client.process.isThrottled) return
    this.#note("client hidden", client.userId)
    if (client.client.current.state === "open") seen.saw("clientHidden")
    client.process.throttle({ chainedMs: 60_000, freshMs: draw.chance(0.5) ? 1_000 : 60_000 })
    this.#after(draw.scale(2_000, 130_000), () => client.process.throttle(undefined))
  }

  #freezeServer(): void {
    const { draw, seen, server, network } = this.#run
    const { process } = server
    if (process.isFrozen) return
    this.#note("server frozen")
    if (network.sockets.size > 0) seen.saw("serverFrozen")
    process.freeze({ stopsClock: draw.chance(0.3), answersPings: false })
    this.#after(draw.scale(10, draw.chance(0.2) ? 40_000 : 2_000), () => process.thaw())
  }

  /** Freezes and continues sessions, as if their process had ended and another one had started. */
  #rewrite(): void {
    const { draw, server } = this.#run
    const share = draw.random()
    this.#note("rewrite")
    server.process.run(() => {
      for (const session of server.server.local.sessions()) if (draw.chance(share)) server.rewrite(session)
    })
  }

  #pokeClient(): void {
    const client = this.#client()
    const cut = this.#run.draw.chance(0.5)
    this.#note(cut ? "client cuts" : "client wakes", client?.userId)
    client?.process.run(() => (cut ? client.client.cut() : client.client.wake()))
  }

  #badToken(): void {
    const client = this.#client()
    if (client === undefined) return
    this.#note("no tokens for", client.userId)
    client.tokenFails = true
    this.#after(this.#run.draw.scale(10, 5_000), () => {
      client.tokenFails = false
    })
  }

  #jump(): void {
    const { draw, seen } = this.#run
    const ms = draw.between(-3_600_000, 3_600_000)
    seen.saw("jumpOfWallClock")
    if (draw.chance(0.5)) {
      this.#note("wall clock of a client jumps", ms)
      this.#client()?.jumpWallClock(ms)
      return
    }
    this.#note("wall clock of the server jumps", ms)
    this.#run.wallJumpMs += ms
  }

  // --- of users -------------------------------------------------------------------------------------------------

  /** The server asks clients to move to a second connection. */
  #goAway(): void {
    const { draw, server, network, plan } = this.#run
    this.#note("drain")
    if (draw.chance(0.3)) {
      network.weather.lostShare = 0.9
      this.#after(draw.scale(20, 1_000), () => {
        if (!this.#run.isQuiet) network.weather.lostShare = plan.weather.lostShare
      })
    }
    server.process.run(() => {
      unwatched(server.server.drain({ spreadMs: draw.scale(1, 1_000), graceMs: draw.scale(100, 20_000) }))
    })
  }

  #closeClient(): void {
    const client = this.#client()
    if (client === undefined) return
    this.#note("client closes", client.userId)
    client.close()
    this.#returnLater(client, this.#run.draw.scale(10, 3_000))
  }

  #returnLater(client: ClientEnd, ms: number): void {
    this.#after(ms, () => {
      if (client.closedWith === undefined || this.#run.isOver) return
      client.connect()
    })
  }

  #kick(): void {
    const { draw, server, seen, sessions, clients } = this.#run
    const away = server.server.local.sessions().find(({ attached }) => !attached)
    const client = clients.find(({ userId }) => userId === away?.user.id) ?? this.#client()
    if (client === undefined) return
    const code = draw.pick(["forbidden", "cheated", "session_ended"]) ?? "forbidden"
    const end = (): void => {
      this.#note("kick", client.userId, code)
      server.process.run(() => {
        for (const session of server.server.local.sessions(client.userId)) {
          const record = sessions.get(session.id)
          if (record === undefined) continue
          if (!session.attached) seen.saw("kickedWhileAway")
          record.endedWith = code
        }
        unwatched(server.server.endSessions({ user: client.userId, code }))
      })
    }
    end()
    // With this code clients may reconnect: the next session ends while the requests of the first are still running.
    if (code === "session_ended")
      for (let more = draw.whole(0, 3); more > 0; more -= 1) this.#after(draw.scale(20, 1_500), end)
    for (const one of clients)
      if (one.userId === client.userId) this.#returnLater(one, draw.scale(1_000, 9_000))
  }

  #secondLogin(): void {
    const [first, second] = this.#run.clients
    this.#note("second login")
    if (first?.userId !== second?.userId) return
    second?.close()
    if (second !== undefined) this.#returnLater(second, 10)
  }

  /** The server sends a frame without content, at a bad moment. */
  #ping(): void {
    const { draw, server, trace } = this.#run
    const session = this.#run.anySession()
    trace.add("FAULT burst for", session?.id)
    server.process.run(() => {
      for (let count = draw.scale(10, 200); count > 0; count -= 1) {
        if (session?.active === true) server.send(session)
      }
    })
  }

  /** Replaces the server, in order or at once, by one without its state. */
  #restart(): void {
    const { draw, seen, server } = this.#run
    if (server.isClosing) return
    seen.saw("serverRestarted")
    if (draw.chance(0.5)) {
      this.#note("server closes")
      server.isClosing = true
      server.process.run(() => {
        unwatched(server.server.close().then(() => this.#replace()))
      })
      return
    }
    this.#note("server dies")
    server.isClosing = true
    this.#replace()
  }

  #replace(): void {
    const { draw, server, network } = this.#run
    network.stopServing()
    server.process.kill()
    for (const socket of network.sockets)
      socket.lose({ clientInMs: draw.between(0, 50), serverInMs: undefined })
    this.#after(draw.scale(1, 1_000), () => this.#run.startServer())
  }
}
