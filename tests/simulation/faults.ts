// All faults of a run, each at random times. Those of the network are in `network-faults.ts`.
import { unwatched } from "@hawser/protocol/testing"
import type { ClientEnd } from "./client-end.ts"
import { Deaths } from "./deaths.ts"
import { FaultKit } from "./fault-kit.ts"
import { NetworkFaults } from "./network-faults.ts"
import type { Simulation } from "./simulation.ts"
import { Thieves } from "./thieves.ts"

export class Faults extends FaultKit {
  readonly #ordinary: readonly (() => void)[]
  readonly #grave: readonly (() => void)[]
  readonly #network: NetworkFaults
  readonly #thieves: Thieves
  readonly #deaths: Deaths | undefined

  constructor(run: Simulation) {
    super(run)
    this.#network = new NetworkFaults(run)
    this.#thieves = new Thieves(run)
    this.#deaths = run.machine && new Deaths(run, run.machine)
    this.#ordinary = [
      () => this.#network.reset(),
      () => this.#network.reset(),
      () => this.#network.cutAtByte(),
      () => this.#network.cutAtByte(),
      () => this.#network.cutNewSockets(),
      () => this.#network.halfOpen(),
      () => this.#network.blackHole(),
      () => this.#network.blockade(),
      () => this.#network.changeLine(),
      () => this.#freezeClient(),
      () => this.#freezeServer(),
      () => this.#rewrite(),
      () => this.#hideClient(),
      () => this.#pokeClient(),
      () => this.#badToken(),
      () => this.#jump(),
      () => this.#goAway(),
      () => this.#thieves.forge(this.client()),
      () => this.#network.storm(),
      () => this.#network.lateHello(),
      () => this.#network.takeovers(),
    ]
    this.#grave = [
      () => this.#closeClient(),
      () => this.#kick(),
      () => this.#thieves.clone(this.client()),
      () => this.#ping(),
      () => this.#secondLogin(),
      () => this.#restart(),
    ]
  }

  start(): void {
    this.#deaths?.start()
    this.#next()
  }

  #next(): void {
    const { clock, draw, plan } = this.run
    clock.schedule(draw.gap(plan.faultEveryMs), () => {
      if (this.run.isQuiet) return
      const faults = draw.chance(plan.graveFaultShare) ? this.#grave : this.#ordinary
      draw.pick(faults)?.()
      this.#next()
    })
  }

  // --- of processes ---------------------------------------------------------------------------------------------

  #freezeClient(): void {
    const { draw, seen } = this.run
    const client = this.client()
    if (client === undefined || client.process.isFrozen) return
    this.note("client frozen", client.userId)
    if (client.client.current.state === "open") seen.saw("clientFrozen")
    const answersPings = draw.chance(0.75)
    client.process.freeze({ stopsClock: draw.chance(0.3), answersPings })
    const ms = draw.chance(0.5) ? draw.between(6_000, 12_000) : draw.scale(10, 3_000)
    this.after(ms, () => {
      client.process.thaw()
      if (ms > 6_000) client.wokeAtMs = this.run.clock.now()
    })
  }

  /** Hides a page: its timers run once a minute, or those that timers set do; its messages arrive. */
  #hideClient(): void {
    const { draw, seen } = this.run
    const client = this.client()
    if (client === undefined || client.process.isThrottled) return
    this.note("client hidden", client.userId)
    if (client.client.current.state === "open") seen.saw("clientHidden")
    client.process.throttle({ chainedMs: 60_000, freshMs: draw.chance(0.5) ? 1_000 : 60_000 })
    this.after(draw.scale(2_000, 130_000), () => client.process.throttle(undefined))
  }

  #freezeServer(): void {
    const { draw, seen, server, network } = this.run
    const { process } = server
    if (process.isFrozen) return
    this.note("server frozen")
    if (network.sockets.size > 0) seen.saw("serverFrozen")
    process.freeze({ stopsClock: draw.chance(0.3), answersPings: false })
    this.after(draw.scale(10, draw.chance(0.2) ? 40_000 : 2_000), () => process.thaw())
  }

  /** Freezes and continues sessions, as if their process had ended and another one had started. */
  #rewrite(): void {
    const { draw, server } = this.run
    const share = draw.random()
    this.note("rewrite")
    if (this.run.machine !== undefined) return
    server.process.run(() => {
      for (const session of server.server.local.sessions()) if (draw.chance(share)) server.rewrite(session)
    })
  }

  #pokeClient(): void {
    const client = this.client()
    const cut = this.run.draw.chance(0.5)
    this.note(cut ? "client cuts" : "client wakes", client?.userId)
    client?.process.run(() => (cut ? client.client.cut() : client.client.wake()))
  }

  #badToken(): void {
    const client = this.client()
    if (client === undefined) return
    this.note("no tokens for", client.userId)
    client.tokenFails = true
    this.after(this.run.draw.scale(10, 5_000), () => {
      client.tokenFails = false
    })
  }

  #jump(): void {
    const { draw, seen } = this.run
    const ms = draw.between(-3_600_000, 3_600_000)
    seen.saw("jumpOfWallClock")
    if (draw.chance(0.5)) {
      this.note("wall clock of a client jumps", ms)
      this.client()?.jumpWallClock(ms)
      return
    }
    this.note("wall clock of the server jumps", ms)
    this.run.wallJumpMs += ms
    this.run.jumpedMs += Math.max(0, ms)
  }

  // --- of users -------------------------------------------------------------------------------------------------

  /** The server asks clients to move to a second connection. */
  #goAway(): void {
    const { draw, server, network, plan } = this.run
    this.note("drain")
    if (draw.chance(0.3)) {
      network.weather.lostShare = 0.9
      this.after(draw.scale(20, 1_000), () => {
        if (!this.run.isQuiet) network.weather.lostShare = plan.weather.lostShare
      })
    }
    server.process.run(() => {
      unwatched(server.server.drain({ spreadMs: draw.scale(1, 1_000), graceMs: draw.scale(100, 20_000) }))
    })
  }

  #closeClient(): void {
    const client = this.client()
    if (client === undefined) return
    this.note("client closes", client.userId)
    client.close()
    this.#returnLater(client, this.run.draw.scale(10, 3_000))
  }

  #returnLater(client: ClientEnd, ms: number): void {
    this.after(ms, () => {
      if (client.closedWith === undefined || this.run.isOver) return
      client.connect()
    })
  }

  #kick(): void {
    const { draw, server, seen, sessions, clients } = this.run
    const away = server.server.local.sessions().find(({ attached }) => !attached)
    const client = clients.find(({ userId }) => userId === away?.user.id) ?? this.client()
    if (client === undefined) return
    const code = draw.pick(["forbidden", "cheated", "session_ended"]) ?? "forbidden"
    const end = (): void => {
      this.note("kick", client.userId, code)
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
      for (let more = draw.whole(0, 3); more > 0; more -= 1) this.after(draw.scale(20, 1_500), end)
    for (const one of clients)
      if (one.userId === client.userId) this.#returnLater(one, draw.scale(1_000, 9_000))
  }

  #secondLogin(): void {
    const [first, second] = this.run.clients
    this.note("second login")
    if (first?.userId !== second?.userId) return
    second?.close()
    if (second !== undefined) this.#returnLater(second, 10)
  }

  /** The server sends a frame without content, at a bad moment. */
  #ping(): void {
    const { draw, server, trace } = this.run
    const session = this.run.anySession()
    trace.add("FAULT burst for", session?.id)
    server.process.run(() => {
      for (let count = draw.scale(10, 200); count > 0; count -= 1) {
        if (session?.active === true) server.send(session)
      }
    })
  }

  /** Replaces the server, in order or at once, by one without its state. */
  #restart(): void {
    const { draw, seen, server } = this.run
    if (server.isClosing || this.#deaths !== undefined) return
    seen.saw("serverRestarted")
    if (draw.chance(0.5)) {
      this.note("server closes")
      server.isClosing = true
      server.process.run(() => {
        unwatched(server.server.close().then(() => this.#replace()))
      })
      return
    }
    this.note("server dies")
    this.#replace()
  }

  #replace(): void {
    this.run.killServer()
    this.after(this.run.draw.scale(1, 1_000), () => this.run.startServer())
  }
}
