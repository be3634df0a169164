// Handlers of the simulated server: of every manner, each start and end in the book.
import { HawserError } from "@hawser/protocol"
import type { SimulatedProcess } from "@hawser/protocol/testing"
import type { HandlerContext } from "@hawser/server"
import { contract } from "./contract.ts"
import type { Done, Work } from "./contract.ts"
import type { RequestRecord } from "./request-book.ts"
import type { ServerEndOptions, SimulationSession } from "./server-options.ts"
import type { SessionRecord } from "./session-book.ts"

/** The server as its handlers use it. */
interface HandlerHost {
  readonly process: SimulatedProcess
  pad(): string
  send(session: SimulationSession): void
  /** Sends an event in an atomic function that throws. */
  sendInVain(session: SimulationSession): void
}

/** Error of a simulated handler. */
export class PlannedFault extends Error {
  override readonly name = "PlannedFault"
}

export class Handlers {
  readonly #options: ServerEndOptions
  readonly #host: HandlerHost

  constructor(options: ServerEndOptions, host: HandlerHost) {
    this.#options = options
    this.#host = host
  }

  handle({ input, session, signal }: HandlerContext<Work, SimulationSession>): Done | Promise<Done> {
    const { sessions, requests, draw, plan, clock, trace, onViolation } = this.#options
    const sessionRecord = sessions.get(session.id)
    // Promises of a process that has died may still run here.
    if (this.#host.process.isDead) throw new PlannedFault()
    if (sessionRecord === undefined) throw new Error("a handler runs for a session that never was")
    let record: RequestRecord
    try {
      record = requests.started(input.id, sessionRecord)
    } catch (violation) {
      onViolation(violation)
      throw new PlannedFault()
    }
    trace.add("server: executes", input.id, input.manner, "in", session.id)
    let deaf: SessionRecord["deaf"][number] | undefined
    const { lives } = sessionRecord
    const finish = (isFinal: boolean): void => {
      // A handler of an earlier process settles nothing.
      if (sessionRecord.lives !== lives) return
      trace.add("server: done", input.id)
      if (deaf?.isReleased === true) sessionRecord.running += 1
      else if (deaf !== undefined) sessionRecord.deaf.splice(sessionRecord.deaf.indexOf(deaf), 1)
      requests.finished(record, sessionRecord, isFinal)
    }
    const goDeaf = (): void => {
      if (sessionRecord.lives !== lives) return
      const untilMs = clock.now() + plan.server.handlerGraceMs
      record.holdsUntilMs = untilMs
      deaf = { untilMs, isReleased: false }
      sessionRecord.deaf.push(deaf)
    }
    if (draw.chance(0.2)) {
      if (input.manner === "throws") this.#host.sendInVain(session)
      else this.#host.send(session)
    }
    switch (input.manner) {
      case "now":
        finish(true)
        return { id: input.id, pad: this.#host.pad() }
      case "throws":
        finish(true)
        throw contract.error("no_ore")
      case "slow":
      case "throwsLate":
      case "deaf":
      case "deafThrows":
        return this.#work({ input, signal, finish, goDeaf })
    }
  }

  #work(work: {
    readonly input: Work
    readonly signal: AbortSignal
    readonly finish: (isFinal: boolean) => void
    readonly goDeaf: () => void
  }): Promise<Done> {
    const { input, signal, finish } = work
    const { seen } = this.#options
    const { manner } = input
    const fails = manner === "throwsLate" || manner === "deafThrows"
    return new Promise((resolve, reject) => {
      const cancel = this.#host.process.schedule(input.ms, () => {
        finish(!fails)
        if (fails) reject(new PlannedFault())
        else resolve({ id: input.id, pad: this.#host.pad() })
      })
      signal.addEventListener("abort", () => {
        seen.saw("handlerAborted")
        if (manner === "deaf" || manner === "deafThrows") {
          work.goDeaf()
          return
        }
        cancel()
        finish(false)
        reject(HawserError.is(signal.reason) ? signal.reason : new HawserError("cancelled"))
      })
    })
  }
}
