// Parts that all faults of a run share: the choice of a socket, of a client and of a side, delays and the trace.
import type { Side, SimulatedSocket } from "@hawser/protocol/testing"
import type { ClientEnd } from "./client-end.ts"
import type { Simulation } from "./simulation.ts"

export class FaultKit {
  readonly run: Simulation

  constructor(run: Simulation) {
    this.run = run
  }

  socket(): SimulatedSocket | undefined {
    const { network, draw } = this.run
    return draw.pick([...network.sockets])
  }

  client(): ClientEnd | undefined {
    return this.run.draw.pick(this.run.clients)
  }

  side(): Side {
    return this.run.draw.chance(0.5) ? "client" : "server"
  }

  after(ms: number, work: () => void): void {
    this.run.clock.schedule(ms, work)
  }

  note(...words: (string | number | undefined)[]): void {
    this.run.trace.add("FAULT", ...words)
  }
}
