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
      () => this.#losePower(),
      () => this.#oldCopy(),
      () => this.#fullDisk(),
      () => this.#fullDisk(),
      () => this.#slowDisk(),
      () => this.#slowDisk(),
      () => this.#failingSync(),
      () => this.#failingSync(),
      () => this.#secondProcess(),
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

  /** The machine stops: what was not synced may be lost. In mode `power` nothing of it has left. */
  #losePower(): void {
    const { server, seen } = this.run
    if (server.isClosing) return
    this.note("power is lost")
    seen.saw(this.#machine.mode === "power" ? "powerLost" : "powerLostInKill")
    this.run.killServer()
    this.#machine.losePower()
    this.run.mayRollBack = this.#machine.mode === "kill"
    this.run.mayBeLess = true
    this.#startLater()
  }

  /** An earlier copy of the folder is put back. */
  #oldCopy(): void {
    const { draw, server, seen } = this.run
    if (!this.#machine.hasCopy) {
      this.note("the folder is copied")
      this.#machine.copy()
      this.after(draw.scale(1, 3_000), () => this.#oldCopy())
      return
    }
    if (server.isClosing || this.run.isQuiet) return
    this.note("an older copy is put back")
    seen.saw("copyPutBack")
    this.run.killServer()
    this.#machine.putCopyBack()
    this.run.mayRollBack = true
    this.run.mayBeLess = true
    this.#startLater()
  }

  #fullDisk(): void {
    const { draw, seen } = this.run
    const { faults } = this.#machine.disk
    faults.freeBytes = draw.chance(0.5) ? 0 : draw.scale(1, 3_000)
    this.note("the disk has", faults.freeBytes, "bytes left")
    seen.saw("diskFull")
    // Attempts to cut a rest change the file long after its last record.
    this.run.mayBeLess = true
    this.after(draw.scale(10, 3_000), () => (faults.freeBytes = Number.POSITIVE_INFINITY))
  }

  /** Writes take so long that the journal goes over to writes outside the event loop, and syncs are slow. */
  #slowDisk(): void {
    const { draw, seen } = this.run
    const { clock } = this.run
    this.note("the disk is slow")
    seen.saw("diskSlow")
    this.#machine.stall(60)
    const mostMs = draw.scale(1, 400)
    this.#machine.disk.faults.pause = () =>
      new Promise((resolve) => {
        clock.schedule(draw.between(0, mostMs), resolve)
      })
    this.after(draw.scale(50, 5_000), () => {
      this.#machine.stall(0)
      this.#machine.disk.faults.pause = () => Promise.resolve()
    })
  }

  #failingSync(): void {
    const { draw, seen } = this.run
    const { faults } = this.#machine.disk
    this.note("syncs fail")
    seen.saw("syncFailed")
    faults.failsSync = true
    this.after(draw.scale(10, 1_000), () => (faults.failsSync = false))
  }

  /** A second process on the folder gets nothing while the first one lives. */
  #secondProcess(): void {
    const { seen } = this.run
    if (this.run.server.isClosing) return
    this.note("second process")
    this.run.startSecond((text) => {
      this.note("second process:", text)
      seen.saw("secondProcessRefused")
    })
  }

  #startLater(): void {
    this.after(this.run.draw.scale(1, 3_000), () => this.run.startServer())
  }

  #end(): void {
    this.run.killServer()
    this.#startLater()
  }

  /** The process ends in order: its sessions are parked. */
  #park(): void {
    const { draw, server, seen } = this.run
    if (server.isClosing) return
    this.note("server parks")
    server.isClosing = true
    // A closed journal would let it in.
    this.run.endSecond()
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
