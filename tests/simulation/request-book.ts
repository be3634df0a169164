// Records every request of a client's application, and its outcome at both ends. Invariants S2, S4 and S14, rules R3 and R22.
import type { Manner } from "./contract.ts"
import type { SessionBook, SessionRecord } from "./session-book.ts"
import type { Seen } from "./sometimes.ts"
import { Violation } from "./trace.ts"
import type { UndoLog } from "./undo-log.ts"

/** Call of a request: an ordered command, a command without an order, a query. */
export type RequestKind = "work" | "dash" | "look"

export interface RequestRecord {
  /** Its client has sent the requests of lower ids before. */
  readonly id: number
  readonly kind: RequestKind
  readonly client: number
  readonly manner: Manner
  readonly key: string | undefined
  /** True if the client was not open at the call. */
  readonly wasOffline: boolean
  /** End of its caller's timeout. After it the server may settle the request without a start (R4). */
  readonly deadlineMs: number
  outcome: string | undefined
  executions: number
  /** The server that executed it last, and the state of that execution. */
  serverNumber: number
  execution: "none" | "running" | "final" | "repeatable"
  /** End of the grace period of a running handler that ignores its signal. */
  holdsUntilMs: number
  /** Session of its last execution. */
  sessionId: string
  /** Its handler was lost with the process: it may be executed once more. */
  mayRerun: boolean
  /** It outlived its session: it had been sent in another one. */
  wasResent: boolean
  /** Number of resets that reported it to the application. */
  reported: number
  /** Its caller had already got a failure when its client resumed. */
  isVoid: boolean
  /** VOID has named it at the server, or it arrived after that resume. */
  mustNotStart: boolean
}

/** Possible outcomes of a request, beside its handler's own errors. */
const outcomes = new Set([
  "ok",
  "timeout",
  "cancelled",
  "connection_lost",
  "client_closed",
  "buffer_full",
  "not_connected",
  "dropped",
  "session_ended",
  "no_ore",
  "sys_internal_error",
])

export interface Settlement {
  readonly outcome: string
  /** The id in the reply. */
  readonly answered: number | undefined
  /** The code with which the client has closed, if it has. */
  readonly closedWith: string | undefined
}

export class RequestBook {
  readonly #seen: Seen
  readonly #records = new Map<number, RequestRecord>()
  /** Per client, its ordered commands in the order of the calls; all before `heads` were executed or have ended. */
  readonly #orders: RequestRecord[][] = []
  readonly #heads: number[] = []
  /** Per client, abandoned requests that were never executed: since its last resume, and before. */
  readonly #abandoned: RequestRecord[][] = []
  readonly #void: RequestRecord[][] = []
  /** Running requests by session. */
  readonly #running = new Map<string, Set<RequestRecord>>()
  #pending = 0

  readonly #nowMs: () => number
  readonly #sessions: SessionBook
  /** Changes by the server, if it keeps a journal. */
  readonly #undo: UndoLog | undefined

  constructor(options: {
    readonly seen: Seen
    readonly nowMs: () => number
    readonly sessions: SessionBook
    readonly undo: UndoLog | undefined
  }) {
    this.#seen = options.seen
    this.#nowMs = options.nowMs
    this.#sessions = options.sessions
    this.#undo = options.undo
  }

  get pendingCount(): number {
    return this.#pending
  }

  get(id: number): RequestRecord | undefined {
    return this.#records.get(id)
  }

  made(
    made: Pick<RequestRecord, "id" | "kind" | "client" | "manner" | "key" | "wasOffline" | "deadlineMs">,
  ): RequestRecord {
    const record: RequestRecord = {
      ...made,
      outcome: undefined,
      executions: 0,
      serverNumber: 0,
      execution: "none",
      holdsUntilMs: Number.POSITIVE_INFINITY,
      sessionId: "",
      mayRerun: false,
      reported: 0,
      wasResent: false,
      isVoid: false,
      mustNotStart: false,
    }
    this.#records.set(record.id, record)
    if (record.kind === "work") (this.#orders[made.client] ??= []).push(record)
    this.#pending += 1
    return record
  }

  // --- on the wire ----------------------------------------------------------------------------------------------

  /** The client has a new connection for its session: abandoned requests must not be executed on it. */
  resumed(client: number): void {
    const records = this.#abandoned[client] ?? []
    for (const record of records) record.isVoid = true
    this.#void[client] = records
    this.#abandoned[client] = []
  }

  /** The request has reached its session. */
  arrived(id: number): void {
    const record = this.#records.get(id)
    if (record?.isVoid !== true) return
    record.mustNotStart = true
    this.#seen.saw("voidArrived")
  }

  /** VOID has reached the session. */
  namedVoid(client: number): void {
    for (const record of this.#void[client] ?? []) record.mustNotStart = true
  }

  // --- at the server --------------------------------------------------------------------------------------------

  started(id: number, session: SessionRecord): RequestRecord {
    const record = this.#records.get(id)
    if (record === undefined) throw new Violation("S2", `request ${id} was never made`)
    if (session.serverCause !== undefined)
      throw new Violation("S13", `request ${id} was executed after the end of session ${session.id}`)
    if (record.mustNotStart)
      throw new Violation(
        "R22",
        `request ${id} was executed; it ended with ${record.outcome} before the resume`,
      )
    this.#assertOnce(record, session)
    this.#assertInOrder(record)
    this.#assertLane(record, session)
    this.#logStart(record, session)
    if (record.wasOffline) this.#seen.saw("queueFlushedAfterResume")
    record.executions += 1
    record.sessionId = session.id
    record.serverNumber = session.serverNumber
    record.execution = "running"
    record.holdsUntilMs = Number.POSITIVE_INFINITY
    this.#runningIn(session).add(record)
    session.running += 1
    return record
  }

  #logStart(record: RequestRecord, session: SessionRecord): void {
    if (this.#undo === undefined) return
    const { executions, execution, serverNumber, sessionId, holdsUntilMs } = record
    this.#undo.add(() => {
      this.#assertUnseen(record, session)
      Object.assign(record, { executions, execution, serverNumber, sessionId, holdsUntilMs })
    })
  }

  /** A reply leaves with the record of its request. */
  #assertUnseen(record: RequestRecord, session: SessionRecord): void {
    const { id, outcome, executions } = record
    if (executions > 1 || (outcome !== "ok" && outcome !== "no_ore")) return
    this.#sessions.seen(session, `the reply of request ${id} was delivered and is not in the journal`)
  }

  #assertOnce(record: RequestRecord, session: SessionRecord): void {
    if (record.executions === 0) return
    if (record.mayRerun) {
      record.mayRerun = false
      this.#seen.saw("rerun")
      return
    }
    if (record.key === undefined) throw new Violation("S2", `request ${record.id} was executed twice`)
    if (record.serverNumber !== session.serverNumber || record.execution === "repeatable") return
    throw new Violation("S2", `request ${record.id} with a key was executed twice (${record.execution})`)
  }

  #runningIn({ id }: SessionRecord): Set<RequestRecord> {
    const running = this.#running.get(id) ?? new Set()
    this.#running.set(id, running)
    return running
  }

  /** An ordered command runs alone among its kind, and a query after the ordered commands that were sent before it. */
  #assertLane(record: RequestRecord, session: SessionRecord): void {
    const nowMs = this.#nowMs()
    const running = [...this.#runningIn(session)].filter((one) => one !== record && one.holdsUntilMs > nowMs)
    const inLane = running.find((one) => one.kind === "work")
    const seesAll = record.kind === "look" && (inLane === undefined || inLane.id > record.id)
    if (inLane !== undefined && record.kind !== "dash" && !seesAll)
      throw new Violation("R3", `request ${record.id} was executed while ${inLane.id} was running`)
    const query = running.find((one) => one.kind === "look")
    if (record.kind === "dash" && inLane !== undefined && inLane.id < record.id)
      this.#seen.saw("freePassedCommand")
    if (query === undefined) return
    if (record.kind === "look") this.#seen.saw("queriesTogether")
    if (record.kind === "work" && query.id < record.id) this.#seen.saw("commandPassedQuery")
  }

  /** Earlier ordered commands that are pending and have time left must have been executed before. */
  #assertInOrder(record: RequestRecord): void {
    if (record.kind === "dash" || record.outcome !== undefined || record.executions > 0) return
    const order = this.#orders[record.client] ?? []
    let head = this.#heads[record.client] ?? 0
    for (let first = order[head]; first !== undefined; first = order[head]) {
      const isOpen = first.outcome === undefined && first.executions === 0
      // Budgets travel as whole milliseconds.
      if (first.id >= record.id || (isOpen && first.deadlineMs > this.#nowMs() + 1)) break
      head += 1
    }
    this.#heads[record.client] = head
    const first = order[head]
    if (first === record || (record.kind === "look" && (first === undefined || first.id > record.id))) return
    throw new Violation("S2", `request ${record.id} was executed before request ${first?.id}`)
  }

  /** The session was frozen: its running requests run again, and no others. */
  rewritten(session: SessionRecord): void {
    for (const record of this.#records.values())
      if (record.execution === "running" && record.sessionId === session.id) record.mayRerun = true
    this.#running.delete(session.id)
  }

  /** The next process has restored these sessions: their running requests run again. */
  restored(isRestored: (sessionId: string) => boolean): void {
    for (const record of this.#records.values())
      if (record.execution === "running" && isRestored(record.sessionId)) record.mayRerun = true
    this.#running.clear()
    this.#heads.fill(0)
  }

  finished(record: RequestRecord, session: SessionRecord, isFinal: boolean): void {
    this.#running.get(session.id)?.delete(record)
    if (record.execution !== "running") return
    record.execution = isFinal ? "final" : "repeatable"
    this.#undo?.add(() => {
      this.#assertUnseen(record, session)
      record.execution = "running"
    })
    session.running -= 1
    session.settled += 1
  }

  // --- at the client --------------------------------------------------------------------------------------------

  reported(id: number): void {
    const record = this.#records.get(id)
    if (record === undefined) throw new Violation("S4", `a reset reports request ${id}, which was never made`)
    record.reported += 1
    if (record.key !== undefined) throw new Violation("S4", `request ${id} has a key and was abandoned`)
  }

  settled(record: RequestRecord, { outcome, answered, closedWith }: Settlement): void {
    if (record.outcome !== undefined)
      throw new Violation("S14", `request ${record.id} ended twice: ${record.outcome}, ${outcome}`)
    record.outcome = outcome
    this.#pending -= 1
    if ((outcome === "timeout" || outcome === "cancelled") && record.executions === 0)
      (this.#abandoned[record.client] ??= []).push(record)
    if (!outcomes.has(outcome) && outcome !== closedWith)
      throw new Violation("S14", `request ${record.id} ended with ${outcome}`)
    if (outcome === "ok") {
      if (answered !== record.id)
        throw new Violation("S14", `request ${record.id} got the answer of request ${answered}`)
      if (record.executions === 0)
        throw new Violation("S14", `request ${record.id} was answered and never executed`)
    }
    if (outcome === "buffer_full") this.#seen.saw("bufferFull")
    const isToBeReported = outcome === "connection_lost"
    // `close()` settles the client's requests as well, unless the request was never sent.
    if (outcome === closedWith ? record.reported > 1 : record.reported !== (isToBeReported ? 1 : 0))
      throw new Violation(
        "S4",
        `request ${record.id} ended with ${outcome}, reported ${record.reported} times`,
      )
  }
}
