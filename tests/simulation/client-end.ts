// One client of a simulation with its application: it calls, cancels, repeats, and checks all results against the
// books.
import { createClient, exponential } from "@hawser/client"
import type { CallOptions, Client, SessionEvent } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import type { Dial } from "@hawser/protocol/core"
import { SimulatedProcess, seededRandom } from "@hawser/protocol/testing"
import type { SimulatedClock, SimulatedNetwork } from "@hawser/protocol/testing"
import { boardNames, followBoards } from "./boards.ts"
import type { BoardBook } from "./boards.ts"
import { contract, manners } from "./contract.ts"
import type { Manner, SimulationContract } from "./contract.ts"
import type { Draw, Plan } from "./plan.ts"
import type { RequestBook, RequestKind, RequestRecord } from "./request-book.ts"
import type { SessionBook } from "./session-book.ts"
import type { Seen } from "./sometimes.ts"
import { Violation } from "./trace.ts"
import type { Trace } from "./trace.ts"

export interface ClientEndOptions {
  readonly clock: SimulatedClock
  readonly draw: Draw
  readonly plan: Plan
  readonly seen: Seen
  readonly trace: Trace
  readonly network: SimulatedNetwork
  readonly sessions: SessionBook
  readonly requests: RequestBook
  readonly boards: BoardBook
  readonly wallClockMs: () => number
  readonly nextId: () => number
  readonly index: number
  /** True if the server of this session was replaced. */
  readonly isServerGone: (sessionServer: number) => boolean
  readonly onViolation: (violation: unknown) => void
}

interface KeyedDone {
  readonly key: string
  readonly id: number
  readonly pad: string
  readonly serverNumber: number
}

export class ClientEnd {
  readonly process: SimulatedProcess
  readonly client: Client<SimulationContract>
  readonly userId: string
  readonly #options: ClientEndOptions
  readonly #aborters: AbortController[] = []
  /** Calls of the token function that have not returned. */
  #pendingTokens = 0
  #wallJumpMs = 0
  #connects = 0
  #dials = 0
  #keyedDone: KeyedDone | undefined
  #keys = 0
  /** Last action of the application on the client: only an open one is expected to reconnect. */
  wantsOpen = true
  tokenFails = false
  wokeAtMs = Number.NEGATIVE_INFINITY
  closedWith: string | undefined

  constructor(options: ClientEndOptions) {
    const { clock, plan, draw, index, network } = options
    this.#options = options
    this.process = new SimulatedProcess(clock)
    this.userId = plan.sharedUser && index < 2 ? "u0" : `u${index}`
    const random = seededRandom(Math.floor(draw.random() * 2 ** 32))
    this.client = createClient(contract, {
      url: "ws://simulated",
      token: () => this.#token(),
      dial: this.#budgeted(network.dialFrom(this.process, `10.0.0.${index}`)),
      reconnect: exponential({ baseMs: plan.backoffBaseMs, maxMs: plan.backoffMaxMs }),
      limits: plan.client,
      autoConnect: false,
      clock: this.process,
      wallClockMs: () => options.wallClockMs() + this.#wallJumpMs,
      random,
      wakeSource: () => () => {},
      onError: (error) => this.#onError(error),
    })
    this.#listen()
  }

  connect(): void {
    this.process.run(() => {
      this.#connects += 1
      this.wantsOpen = true
      this.closedWith = undefined
      // The status shows its failure.
      this.client.connect().catch(() => {})
    })
  }

  close(): void {
    this.process.run(() => {
      this.wantsOpen = false
      this.client.close()
    })
  }

  /** C13: whatever the server and the network do, only the application's own `connect` is outside the budget. */
  #budgeted(dial: Dial): Dial {
    const { clock, plan } = this.#options
    const { dialBurst, dialsPerMinute } = plan.client
    const bornAtMs = clock.now()
    return (url, protocols, events) => {
      this.#dials += 1
      const most = dialBurst + ((clock.now() - bornAtMs) * dialsPerMinute) / 60_000 + this.#connects
      if (this.#dials > most + 1e-6)
        this.#options.onViolation(
          new Violation(
            "C13",
            `client ${this.#options.index}: ${this.#dials} dials, not ${Math.floor(most)}`,
          ),
        )
      return dial(url, protocols, events)
    }
  }

  jumpWallClock(ms: number): void {
    this.#wallJumpMs += ms
  }

  #token(): string | Promise<string> {
    const { plan, draw, wallClockMs, nextId } = this.#options
    if (this.tokenFails) throw new HawserError("sys_service_unavailable")
    const token =
      plan.tokenLifeMs === undefined
        ? `${this.userId}|`
        : `${this.userId}|${Math.round(wallClockMs() + draw.between(0.3, 1) * plan.tokenLifeMs)}|${nextId()}`
    if (plan.tokenFunctionMs === 0) return token
    this.#pendingTokens += 1
    return new Promise((resolve) => {
      this.process.schedule(draw.between(0, plan.tokenFunctionMs), () => {
        this.#pendingTokens -= 1
        resolve(token)
      })
    })
  }

  /** A token function that fails or is late is intended by the simulation; any other error is a fault of the product. */
  #onError(error: unknown): void {
    const code = HawserError.is(error) ? error.code : undefined
    const isLate = code === "connection_timeout" && this.#pendingTokens > 0
    if (code !== "sys_service_unavailable" && !isLate) this.#options.onViolation(error)
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onViolation(error)
    }
  }

  #listen(): void {
    const { sessions, trace, index, plan, seen } = this.#options
    const { client } = this
    client.on("note", (note) => this.#guarded(() => sessions.note(client.sessionId, note)))
    client.on("reading", (reading) => this.#guarded(() => sessions.reading(client.sessionId, reading)))
    client.on("gauge", (reading) => this.#guarded(() => sessions.reading(client.sessionId, reading)))
    followBoards(client, { book: this.#options.boards, guarded: (work) => this.#guarded(work) })
    client.onSession((event) => this.#guarded(() => this.#onSession(event)))
    client.onStatus((status) => {
      const error = "error" in status ? status.error?.code : undefined
      trace.add("client", index, status.state, error)
      if (status.state === "closed") this.closedWith = status.error.code
      // No strategy of a plan waits for that long.
      if (status.state === "reconnecting" && status.delayMs > plan.backoffMaxMs) seen.saw("dialHeldBack")
    })
  }

  #onSession(event: SessionEvent): void {
    const { sessions, requests, seen, trace, index, isServerGone } = this.#options
    trace.add("client", index, event.kind, "sessionId" in event ? event.sessionId : "")
    if (event.kind === "resumed") requests.resumed(index)
    const opened = event.kind === "opened" ? sessions.get(event.sessionId) : undefined
    if (opened !== undefined) opened.isKnown = true
    const boards = boardNames.map((name) => this.client.topic(name))
    if (event.kind === "opened" && boards.some(({ state }) => state === "rejoining"))
      seen.saw("boardJoinedAgain")
    if (event.kind === "resumed" && boards.some((board) => board.replica("cursors").size > 0))
      seen.saw("boardResumed")
    if (event.kind !== "reset") return
    const record = sessions.get(event.sessionId)
    if (event.unacknowledged.length > 0) seen.saw("resetWithUnacknowledged")
    for (const { input } of event.unacknowledged) {
      // Requests of topics have no number.
      const id = idOf(input)
      if (!Number.isNaN(id)) requests.reported(id)
    }
    for (const { input, key } of this.client.pending()) {
      const pending = key === undefined ? undefined : requests.get(idOf(input))
      if (pending !== undefined) pending.wasResent = true
    }
    if (event.cause === "client_closed" && this.wantsOpen)
      throw new Violation("S16", `client ${index} closed its session by itself`)
    sessions.endedAtClient(
      event.sessionId,
      event.cause,
      record !== undefined && isServerGone(record.serverNumber),
    )
  }

  // --- the application ------------------------------------------------------------------------------------------

  /** Makes a call with random options. */
  call(): void {
    const { draw } = this.#options
    if (this.process.isFrozen) return
    if (this.#keyedDone !== undefined && draw.chance(0.1)) {
      this.#repeat(this.#keyedDone)
      return
    }
    const hurry = draw.random()
    const manner: Manner = hurry < 0.6 ? "now" : (draw.pick(manners) ?? "now")
    const key = draw.chance(manner === "now" ? 0.1 : 0.3)
      ? `${this.userId}-${this.#options.index}-${++this.#keys}`
      : undefined
    this.process.run(() => this.#call(manner, key))
  }

  #call(manner: Manner, key: string | undefined): void {
    const { clock, draw, plan, nextId, requests, trace, index } = this.#options
    const aborter = draw.chance(0.15) ? new AbortController() : undefined
    const timeoutMs = draw.chance(0.3) ? draw.scale(50, 5_000) : plan.client.requestTimeoutMs
    const kind = key === undefined ? this.#kind() : "work"
    const record = requests.made({
      id: nextId(),
      kind,
      client: index,
      manner,
      key,
      wasOffline: this.client.current.state !== "open" && this.client.sessionId !== undefined,
      deadlineMs: clock.now() + timeoutMs,
    })
    trace.add("client", index, "calls", record.id, kind, manner, key)
    const input = {
      id: record.id,
      manner,
      ms: draw.scale(1, 3_000),
      pad: "x".repeat(draw.whole(0, plan.padBytes)),
    }
    const offline = draw.random()
    const options: CallOptions = {
      ...(key === undefined ? {} : { key }),
      ...(aborter === undefined ? {} : { signal: aborter.signal }),
      timeoutMs,
      ...(offline < 0.05 ? { whenOffline: "fail" } : offline < 0.1 ? { whenOffline: "drop" } : {}),
    }
    if (aborter !== undefined) this.#aborters.push(aborter)
    const reply =
      kind === "look" ? this.client.query(kind, input, options) : this.client.command(kind, input, options)
    this.#await(record, reply, key)
  }

  #kind(): RequestKind {
    const share = this.#options.draw.random()
    if (share < 0.6) return "work"
    return share < 0.7 ? "dash" : "look"
  }

  #await(record: RequestRecord, reply: Promise<{ readonly id: number }>, key: string | undefined): void {
    const { requests, trace, index, seen } = this.#options
    const settle = (outcome: string, answered: number | undefined): void =>
      this.#guarded(() => {
        trace.add("client", index, "has", record.id, outcome)
        requests.settled(record, { outcome, answered, closedWith: this.closedWith })
      })
    reply.then(
      ({ id }) => {
        settle("ok", id)
        if (key === undefined) return
        if (record.wasResent) seen.saw("keyedSentAgain")
        this.#keyedDone = { key, id, pad: "", serverNumber: record.serverNumber }
      },
      (error: unknown) => settle(HawserError.is(error) ? error.code : String(error), undefined),
    )
  }

  /** Repeats the key after the reply: the reply must come from the stored outcome. */
  #repeat({ key, id, serverNumber }: KeyedDone): void {
    const { requests, trace, index, seen } = this.#options
    const first = requests.get(id)
    if (first === undefined) return
    this.process.run(() => {
      trace.add("client", index, "repeats", id)
      const executions = first.executions
      this.client.command("work", { id, manner: "now", ms: 0, pad: "" }, { key, timeoutMs: 5_000 }).then(
        (reply) =>
          this.#guarded(() => {
            if (reply.id !== id)
              throw new Violation("S14", `the repetition of ${id} was answered with ${reply.id}`)
            if (first.executions === executions && first.serverNumber === serverNumber)
              seen.saw("idempotentRepeat")
          }),
        () => {},
      )
    })
  }

  /** Joins a board, or leaves it. */
  toggleBoard(): void {
    const { draw, seen } = this.#options
    const name = draw.pick(boardNames)
    if (name === undefined || this.process.isFrozen) return
    this.process.run(() => {
      const board = this.client.topic(name)
      this.#options.trace.add("client", this.#options.index, board.state === "out" ? "joins" : "leaves", name)
      if (board.state !== "out" && board.replica("cursors").size > 0) seen.saw("boardLeftWithRecords")
      const done = board.state === "out" ? board.join() : board.leave()
      done.catch(() => {})
    })
  }

  /** Cancels one of the pending calls. */
  cancel(): void {
    const aborter = this.#aborters.shift()
    if (aborter !== undefined) this.process.run(() => aborter.abort())
  }
}

function idOf(input: unknown): number {
  return typeof input === "object" && input !== null && "id" in input && typeof input.id === "number"
    ? input.id
    : Number.NaN
}
