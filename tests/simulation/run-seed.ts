// One seed from its first step to the quiet phase at the end, and the checks there. Liveness L1, L2 and L5.
import type { SimulatedSocket } from "@hawser/protocol/testing"
import { boardFault, boardNames } from "./boards.ts"
import type { ClientEnd } from "./client-end.ts"
import { Faults } from "./faults.ts"
import type { Plan } from "./plan.ts"
import { Simulation } from "./simulation.ts"
import type { SessionRecord } from "./session-book.ts"
import { Violation } from "./trace.ts"

interface SeedFailure {
  readonly seed: number
  readonly step: number
  readonly invariant: string
  readonly text: string
  readonly lines: readonly string[]
}

export interface SeedResult {
  readonly steps: number
  readonly failure: SeedFailure | undefined
  readonly seen: readonly (readonly [string, number])[]
}

/** A failing seed runs a second time, in which its last steps are recorded. */
export async function runSeed(seed: number, steps: number): Promise<SeedResult> {
  const result = await runOnce(seed, { steps, isTraced: false })
  return result.failure === undefined ? result : runOnce(seed, { steps, isTraced: true })
}

async function runOnce(
  seed: number,
  { steps, isTraced }: { readonly steps: number; readonly isTraced: boolean },
): Promise<SeedResult> {
  const run = new Simulation(seed, isTraced)
  let failure: SeedFailure | undefined
  try {
    run.start()
    new Faults(run).start()
    while (run.steps < steps && (await run.step()));
    await new Ending(run).end()
  } catch (error) {
    failure = {
      seed,
      step: run.steps,
      invariant: error instanceof Violation ? error.invariant : "unexpected",
      text: error instanceof Violation ? error.message : describe(error),
      lines: run.trace.lines(),
    }
  }
  return { steps: run.steps, failure, seen: [...run.seen.counts] }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? "" : `\n  because: ${describe(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

/** The longest time in which a client detects a dead connection. */
function detectionMs({ client }: Plan): number {
  const silentMs = Math.max(client.probeAfterMs, client.unansweredMs)
  return silentMs + Math.max(client.probeTimeoutMs, client.probeTimeoutMaxMs)
}

/** The longest time in which the server detects a dead connection. */
function sweepMs({ server }: Plan): number {
  return (server.pingAfterMs + Math.max(server.pongTimeoutMs, server.pongTimeoutMaxMs)) * 1.2
}

/** After all faults: accepted messages arrive, and no resource is left. */
class Ending {
  readonly #run: Simulation

  constructor(run: Simulation) {
    this.#run = run
  }

  async end(): Promise<void> {
    this.#calm()
    await this.#untilFound()
    await this.#untilWell()
    await this.#lastValues()
    await this.#boards()
    await this.#leave()
    this.#countWhatIsLeft()
  }

  #calm(): void {
    const { network, clients, server } = this.#run
    this.#run.isQuiet = true
    this.#run.trace.add("QUIET")
    this.#run.machine?.calm()
    Object.assign(network.weather, {
      latencyMs: { least: 1, most: 20 },
      dialMs: { least: 0, most: 5 },
      refusedShare: 0,
      lostShare: 0,
      slowShare: 0,
      jitterMs: 0,
      segmentLossShare: 0,
    })
    for (const socket of network.sockets) {
      for (const side of ["client", "server"] as const) {
        const pipe = socket.pipeFrom(side)
        Object.assign(pipe.line, {
          latencyMs: 5,
          bytesPerMs: 0,
          windowBytes: 65_536,
          jitterMs: 0,
          lossShare: 0,
        })
        pipe.cutAfter(Number.POSITIVE_INFINITY)
        pipe.unblock()
      }
    }
    server.process.thaw()
    for (const client of clients) {
      client.process.thaw()
      client.process.throttle(undefined)
      client.tokenFails = false
    }
  }

  /** L2: a connection that is dead for one end or both is detected. */
  async #untilFound(): Promise<void> {
    const { clock, network, plan } = this.#run
    const { welcomeTimeoutMs, dialTimeoutMaxMs } = plan.client
    const foundMs = Math.max(detectionMs(plan), welcomeTimeoutMs, dialTimeoutMaxMs, sweepMs(plan))
    const deadlineMs = clock.now() + foundMs + 2_000
    const isDead = (): boolean =>
      [...network.sockets].some(
        (socket) => socket.isBroken && socket.client.state === "open" && this.#isOurs(socket),
      )
    while (isDead()) {
      if (clock.now() > deadlineMs) throw new Violation("L2", `half open and not found: ${this.#left()}`)
      this.#keepTime()
      await this.#run.step()
    }
  }

  #isOurs(socket: SimulatedSocket): boolean {
    return this.#run.clients.some(({ process }) => process === socket.clientProcess)
  }

  /** Users reconnect a client that closed by itself, for example after a second login. */
  #reconnect(client: ClientEnd): void {
    if (client.client.current.state === "closed" || !client.wantsOpen) client.connect()
  }

  /** L1 and L2: within the time of detection and two attempts, every client is open and has everything. */
  async #untilWell(): Promise<void> {
    const { clock, plan, clients } = this.#run
    const { client, server } = plan
    const { tokenTimeoutMs, dialTimeoutMs, welcomeTimeoutMs, dialTimeoutMaxMs } = client
    const limitsMs = [tokenTimeoutMs, dialTimeoutMs, welcomeTimeoutMs]
    // Failures have lengthened the time limit of the attempt that is under way at the start of the quiet phase.
    const handshakeMs = limitsMs.reduce((sum, limitMs) => sum + Math.max(limitMs, dialTimeoutMaxMs), 0)
    const heldBackMs = (2 * 60_000) / client.dialsPerMinute
    // Queued requests run no faster than the user's rate limit.
    const throttledMs = (2 * client.sendBufferMaxCount * 1_000) / server.userMessagesPerSecond
    const servedMs = client.requestTimeoutMs + server.handlerGraceMs + server.shutdownMs + throttledMs + 3_000
    const deadlineMs =
      clock.now() +
      Math.max(detectionMs(plan) + handshakeMs + 2 * plan.backoffMaxMs + heldBackMs, servedMs) +
      10_000
    let nextReturnMs = clock.now() + 1_000
    while (!this.#isWell()) {
      if (clock.now() >= nextReturnMs && !this.#run.server.isClosing) {
        nextReturnMs += 1_000
        this.#returnAll(clients)
      }
      if (clock.now() > deadlineMs) throw new Violation("L1", this.#whatIsWrong())
      this.#keepTime()
      await this.#run.step()
    }
  }

  #returnAll(clients: readonly ClientEnd[]): void {
    const users = new Map<string, number>()
    for (const client of clients) {
      const count = (users.get(client.userId) ?? 0) + 1
      users.set(client.userId, count)
      // More logins than sessions would replace one another for ever.
      if (count <= this.#run.plan.sessionsPerUser) this.#reconnect(client)
    }
  }

  #expected(): ClientEnd[] {
    const users = new Map<string, number>()
    return this.#run.clients.filter(({ userId }) => {
      const count = (users.get(userId) ?? 0) + 1
      users.set(userId, count)
      return count <= this.#run.plan.sessionsPerUser
    })
  }

  #keepTime(): void {
    const { clock } = this.#run
    // The next event may be the end of a detached session, a minute away: users come back before.
    if ((clock.nextAtMs ?? Number.POSITIVE_INFINITY) > clock.now() + 1_000) clock.schedule(100, () => {})
  }

  #isWell(): boolean {
    return this.#whatIsWrong() === ""
  }

  #whatIsWrong(): string {
    const { sessions, requests } = this.#run
    if (requests.pendingCount > 0) return `${requests.pendingCount} requests have no outcome`
    for (const { client, userId } of this.#expected()) {
      if (client.current.state !== "open") return `the client of ${userId} is ${client.current.state}`
      const record = sessions.get(client.sessionId)
      if (record === undefined) return `the client of ${userId} has no session`
      if (record.isAttacked) continue
      if (record.serverCause !== undefined) return `session ${record.id} has ended at the server`
      const missing = record.emitted.length - record.delivered
      if (missing > 0) return `session ${record.id} misses ${missing} events`
      if (!record.attached) return `session ${record.id} is not attached`
      const { ackedAtClient, ackedAtServer } = this.#run.watch.toldOf(record)
      const { sent, handled } = client.stats()
      if (ackedAtClient < sent) return `the client of ${userId} knows of ${ackedAtClient} of ${sent} messages`
      if (ackedAtServer < handled)
        return `the server knows of ${ackedAtServer} of ${handled} messages to ${userId}`
    }
    return ""
  }

  /**
   * S12: the last value of every key arrives in the quiet phase. First on slow links, so that values are queued; then
   * again, and the connections are lost before anything was sent.
   */
  async #lastValues(): Promise<void> {
    for (const isLost of [false, true]) {
      await this.#pass(1_000)
      const last = this.#fill(isLost)
      await this.#pass(500)
      await this.#untilWell()
      // On a slow link each acknowledgement lets one value leave.
      let missing = "not looked yet"
      for (let round = 0; round < 20 && missing !== ""; round += 1) {
        await this.#pass(500)
        missing = missingValue(last)
      }
      if (missing !== "") throw new Violation("S12", missing)
    }
  }

  /**
   * F17: the copies of all members equal the records of their topics. First with connections, where clients leave and join again in
   * one session, then over connections that are lost with changes under way.
   */
  async #boards(): Promise<void> {
    const { clients, clock, draw, network, server } = this.#run
    server.isGenerous = true
    for (const isLost of [false, false, true]) {
      for (const client of clients) if (draw.chance(0.5)) client.toggleBoard()
      await this.#pass(500)
      server.process.run(() => {
        for (let count = 20; count > 0; count -= 1) server.write()
      })
      await this.#pass(draw.whole(0, 100))
      if (isLost) {
        for (const socket of network.sockets)
          if (this.#isOurs(socket)) for (const end of [socket.client, socket.server]) end.lose()
        server.process.run(() => {
          for (let count = 5; count > 0; count -= 1) server.write()
        })
      }
      await this.#untilWell()
      // A refused rejoin is repeated after 30 s at most.
      const deadlineMs = clock.now() + 60_000
      for (let fault = this.#boardFault(); fault !== ""; fault = this.#boardFault()) {
        if (clock.now() > deadlineMs) throw new Violation("F17", fault)
        await this.#pass(200)
        await this.#untilWell()
      }
    }
  }

  #boardFault(): string {
    const { sessions, server } = this.#run
    for (const { client, userId } of this.#expected()) {
      if (sessions.get(client.sessionId)?.isAttacked === true) continue
      const fault = boardFault(client, server.server)
      if (fault !== "") return `${userId}: ${fault}`
    }
    return ""
  }

  #fill(isLost: boolean): LastValues {
    const { server, sessions, watch } = this.#run
    const last: LastValues = new Map()
    for (const session of server.server.local.sessions()) {
      const record = sessions.get(session.id)
      const socket = record === undefined ? undefined : watch.socketOf(record)
      if (record?.isAttacked !== false || socket?.isOpen !== true || !this.#isOurs(socket)) continue
      for (let count = 0; count < 5; count += 1) server.send(session)
      const values = new Map<string, number>()
      for (const key of ["a", "b", "a", "b", "a"]) {
        const outcome = server.read(session, key)
        // A written message may be lost with its connection; a queued one may not.
        if (outcome === "conflated" || !isLost) values.set(key, this.#run.lastId)
        else values.delete(key)
      }
      // With few slots the oldest value is evicted.
      if (this.#run.plan.server.volatileSlots > 2) last.set(record, values)
      // At once: a moment later the queued values would be written to the lost connection.
      if (isLost) for (const end of [socket.client, socket.server]) end.lose()
    }
    return last
  }

  async #pass(ms: number): Promise<void> {
    const { clock } = this.#run
    const untilMs = clock.now() + ms
    // A scheduled step at the end, so that the clock reaches it.
    clock.schedule(ms, () => {})
    while (clock.now() < untilMs) await this.#run.step()
  }

  /** Closes all clients. */
  async #leave(): Promise<void> {
    const { clients, server, plan } = this.#run
    this.#run.trace.add("LEAVE")
    const used = boardNames.filter((name) => server.server.local.topic(name).size > 0)
    this.#run.isOver = true
    for (const client of clients) client.close()
    const { closeTimeoutMs } = plan.server
    // L2: half-open connections are detected, by the sweep at the latest.
    await this.#pass(sweepMs(plan) + closeTimeoutMs + 1_000)
    for (const record of this.#run.sessions.all) {
      if (record.serverNumber !== server.number || record.isAttacked) continue
      if (record.clientCause === "client_closed" && record.serverCause === undefined && record.attached)
        throw new Violation("S16", `session ${record.id} was closed by its client and is attached`)
    }
    if (server.stats.connections > 0)
      throw new Violation(
        "L2",
        `${server.stats.connections} connections are left at the server: ${this.#left()}`,
      )
    await this.#pass(plan.server.resumeWindowMs + 1_000)
    for (const name of used) {
      const { size } = server.server.topic(name).replica("cursors")
      if (size > 0) throw new Violation("F17", `${size} records are left in ${name}, which has no session`)
    }
    // Records of a topic that had no session wait for one.
    for (const name of boardNames) {
      for (const replica of ["cursors", "pieces"] as const)
        for (const id of [...server.server.topic(name).replica(replica).ids()])
          server.server.topic(name).replica(replica).remove(id)
    }
    await this.#pass(1_000)
  }

  /** The sockets that at least one end still holds open. */
  #left(): string {
    const seen = [...this.#run.network.sockets].map(
      ({ number, client, server }) =>
        `${number} ${client.state}/${server.state}${server.isPaused ? " paused" : ""}`,
    )
    return seen.join(", ")
  }

  #countWhatIsLeft(): void {
    const { clients, server } = this.#run
    const {
      sessions,
      timers,
      topics,
      connections,
      replicaRecords: records,
      replicaCells: cells,
    } = server.stats
    if (sessions + topics + connections + timers + records + cells > 0)
      throw new Violation(
        "L5",
        `left at the server: ${JSON.stringify({ sessions, topics, connections, timers, records, cells })}`,
      )
    for (const { client, userId } of clients) {
      const { pending, queued, timers: own } = client.stats()
      if (pending + queued + own > 0)
        throw new Violation("L5", `left at ${userId}: ${JSON.stringify({ pending, queued, timers: own })}`)
    }
  }
}

/** The last value of each key of a session. */
type LastValues = Map<SessionRecord, Map<string, number>>

function missingValue(last: LastValues): string {
  for (const [record, values] of last) {
    // A burst may exceed the session's buffer.
    if (record.serverCause !== undefined) continue
    for (const [key, id] of values)
      if (record.lastOfKey.get(key) !== id) return `session ${record.id} has no last value of ${key}`
  }
  return ""
}
