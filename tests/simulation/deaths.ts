// Deaths of the server's process, and faults of its machine: each at random times, in runs on a journal.
import { unwatched } from "@hawser/protocol/testing"
import { FaultKit } from "./fault-kit.ts"
import type { Machine } from "./machine.ts"
import type { Simulation } from "./simulation.ts"

export class Deaths extends FaultKit {
  readonly #machine: Machine
  readonly #faults: readonly (() => void)[]

  constructor(run: Simulation, machine: Machine) {
    super(run)
    this.#machine = machine
    this.#faults = [
      () => this.#kill(),
      () => this.#kill(),
      () => this.#killInWrite(),
      () => this.#killInWrite(),
      () => this.#killInWrite(),
      () => this.#park(),
    ]
  }

  start(): void {
    const { clock, draw, plan } = this.run
    clock.schedule(draw.gap(2 * plan.faultEveryMs), () => {
      if (this.run.isQuiet) return
      draw.pick(this.#faults)?.()
      this.start()
    })
  }

  #kill(): void {
    const { server, seen } = this.run
    if (server.isClosing) return
    this.note("server is killed")
    seen.saw("killed")
    this.#end()
  }

  /** The process ends within one of its next writes, after any of its bytes. */
  #killInWrite(): void {
    const { draw, seen } = this.run
    const { faults } = this.#machine.disk
    const share = draw.random()
    let left = draw.whole(1, 20)
    faults.endsAfter = (bytes) => {
      left -= 1
      if (left > 0) return undefined
      faults.endsAfter = () => undefined
      const written = Math.round(share * bytes)
      this.note("server is killed after", written, "of", bytes, "bytes")
      seen.saw(written === bytes ? "killedAfterWrite" : "killedInWrite")
      this.#end()
      return written
    }
  }

  #end(): void {
    this.run.killServer()
    this.after(this.run.draw.scale(1, 3_000), () => this.run.startServer())
  }

  /** The process ends in order: its sessions are parked. */
  #park(): void {
    const { draw, server, seen } = this.run
    if (server.isClosing) return
    this.note("server parks")
    server.isClosing = true
    const how = draw.chance(0.3) ? { backInMs: draw.whole(0, 2_000) } : {}
    server.process.run(() => {
      unwatched(
        server.server.close(how).then(() => {
          if (server.process.isDead) return
          seen.saw("parked")
          this.#end()
        }),
      )
    })
  }
}
