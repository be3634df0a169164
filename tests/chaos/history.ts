// Decides whether the records of both applications of one client can belong to reliable sessions: every message once, in
// order, or reported as unacknowledged. Pure: must not know sockets, frames or clocks.
//
// Rules (S1, S2, S4, S13 and S16 of the session protocol; a violation names its rule):
//   order           the messages that arrive in a session are a prefix of those sent in it
//   loss            … without a gap
//   duplicate       … each message once
//   invention       … and nothing that was not sent
//   vanished        a sent message arrives, or is reported as unacknowledged, or is queued in a session that is alive
//   acknowledgement only a message that arrived is acknowledged, once, and none that is reported as unacknowledged
//   report          a list of unacknowledged messages holds messages of its session, in order, each in one list only
//   ending          a session begins once and ends at most once at each end, and at both when the run became quiet
//   afterEnd        nothing happens in a session that has not begun or has ended
//   cause           a session is reset for a cause that the run allows

/** Which end of the connection. */
type End = "client" | "server"

/**
 * Events of one end's application, in its order. `n` is the application's number of a message: each end counts its
 * messages through its whole life, so a number identifies one message in one session. Volatile messages are not
 * recorded.
 */
export type SessionEvent =
  | { readonly kind: "opened"; readonly session: string }
  | { readonly kind: "sent"; readonly session: string; readonly n: number }
  | { readonly kind: "received"; readonly session: string; readonly n: number }
  /** The peer has handled message `n`. Record it only where the application is notified. */
  | { readonly kind: "acknowledged"; readonly session: string; readonly n: number }
  | { readonly kind: "resumed"; readonly session: string }
  /** The session was lost. */
  | Ending<"reset">
  /** The session was ended on purpose, by either application. */
  | Ending<"closed">

interface Ending<Kind extends string> {
  readonly kind: Kind
  readonly session: string
  readonly cause: string
  /** Numbers sent in this session that may be unhandled. */
  readonly unacknowledged: readonly number[]
}

/** Both ends of one client; the server's list holds only the sessions of this client. */
export type History = Readonly<Record<End, readonly SessionEvent[]>>

export interface HistoryOptions {
  /**
   * True when the faults had stopped long enough for everything to arrive. Then no message may still be queued, and
   * both ends must have seen the same ends of sessions. Default false.
   */
  readonly isQuiet?: boolean
  /** Allowed causes of a reset. Default: any. */
  readonly allowedCauses?: readonly string[]
  /**
   * True when `acknowledged` is recorded for every message: then a message of an ended session that was not
   * acknowledged has to be in a list, even if it arrived. Default false.
   */
  readonly recordsAcknowledgements?: boolean
}

export type Rule =
  | "order"
  | "loss"
  | "duplicate"
  | "invention"
  | "vanished"
  | "acknowledgement"
  | "report"
  | "ending"
  | "afterEnd"
  | "cause"

export interface Violation {
  readonly rule: Rule
  readonly session: string
  /** The end that recorded the fault, or lacks the record. */
  readonly end: End
  /** One sentence. */
  readonly text: string
}

/** Record of one end about one session. */
interface Side {
  readonly end: End
  readonly session: string
  readonly sent: number[]
  readonly received: number[]
  readonly acknowledged: number[]
  readonly unacknowledged: number[]
  openedCount: number
  readonly endings: Ending<"reset" | "closed">[]
  /** Events before the beginning or after the end. */
  readonly misplaced: SessionEvent[]
}

type Finding = readonly [rule: Rule, text: string]

/** All violations, session by session; empty when the history may be true. */
export function checkHistory(history: History, options: HistoryOptions = {}): readonly Violation[] {
  const client = sidesOf("client", history.client)
  const server = sidesOf("server", history.server)
  return [...new Set([...client.keys(), ...server.keys()])].flatMap((session) => {
    const ends = [
      client.get(session) ?? emptySide("client", session),
      server.get(session) ?? emptySide("server", session),
    ] as const
    return [...checkSide(ends[0], ends[1], options), ...checkSide(ends[1], ends[0], options)]
  })
}

/** One line for each violation, for a failing test. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations
    .map(({ rule, session, end, text }) => `${rule}: session ${session}, ${end}: ${text}`)
    .join("\n")
}

function emptySide(end: End, session: string): Side {
  const lists = { sent: [], received: [], acknowledged: [], unacknowledged: [], endings: [], misplaced: [] }
  return { end, session, openedCount: 0, ...lists }
}

function sidesOf(end: End, events: readonly SessionEvent[]): Map<string, Side> {
  const sides = new Map<string, Side>()
  for (const event of events) {
    const side = sides.get(event.session) ?? emptySide(end, event.session)
    sides.set(event.session, side)
    note(side, event)
  }
  return sides
}

function note(side: Side, event: SessionEvent): void {
  const isEnding = event.kind === "reset" || event.kind === "closed"
  const isAlive = side.openedCount > 0 && side.endings.length === 0
  // A second beginning or end has a rule of its own.
  if (event.kind !== "opened" && !isAlive && !(isEnding && side.endings.length > 0))
    side.misplaced.push(event)
  switch (event.kind) {
    case "opened":
      side.openedCount += 1
      break
    case "sent":
    case "received":
    case "acknowledged":
      side[event.kind].push(event.n)
      break
    case "resumed":
      break
    case "reset":
    case "closed":
      side.endings.push(event)
      side.unacknowledged.push(...event.unacknowledged)
      break
  }
}

/** Record of one end, with the record of the other end about the same session. */
function checkSide(side: Side, peer: Side, options: HistoryOptions): readonly Violation[] {
  const findings = [
    ...checkReceived(side.received, peer.sent),
    ...checkFate(side, peer, options),
    ...checkAcknowledged(side, peer),
    ...checkReport(side),
    ...checkEndings(side, peer, options),
    ...side.misplaced.map((event): Finding => [
      "afterEnd",
      `${nameOf(event)} while the session was not alive`,
    ]),
  ]
  return findings.map(([rule, text]) => ({ rule, session: side.session, end: side.end, text }))
}

function checkReceived(received: readonly number[], sent: readonly number[]): readonly Finding[] {
  const findings: Finding[] = []
  const place = new Map(sent.map((n, index) => [n, index]))
  const arrived = new Set<number>()
  let next = 0
  for (const n of received) {
    const at = place.get(n)
    if (at === undefined) findings.push(["invention", `${n} was received and never sent`])
    else if (arrived.has(n)) findings.push(["duplicate", `${n} was received again`])
    else if (at < next)
      findings.push(["order", `${n} was received after ${sent[next - 1]}, which was sent later`])
    else next = at + 1
    arrived.add(n)
  }
  for (const n of sent.slice(0, next)) {
    if (!arrived.has(n))
      findings.push(["loss", `${n} was not received, though ${sent[next - 1]} was, sent later`])
  }
  return findings
}

function checkFate(side: Side, peer: Side, options: HistoryOptions): readonly Finding[] {
  const hasEnded = side.endings.length > 0
  const known = new Set([
    ...side.unacknowledged,
    ...side.acknowledged,
    ...(hasEnded && options.recordsAcknowledgements === true ? [] : peer.received),
  ])
  if (!hasEnded && options.isQuiet !== true) return []
  const fate = hasEnded
    ? "not reported when the session ended"
    : "is still queued though the run became quiet"
  return side.sent
    .filter((n) => !known.has(n))
    .map((n) => [
      "vanished",
      `${n} was sent, not ${peer.received.includes(n) ? "acknowledged" : "received"}, and ${fate}`,
    ])
}

function checkAcknowledged(side: Side, peer: Side): readonly Finding[] {
  const findings: Finding[] = []
  const sent = new Set(side.sent)
  const received = new Set(peer.received)
  const reported = new Set(side.unacknowledged)
  const seen = new Set<number>()
  for (const n of side.acknowledged) {
    if (!sent.has(n)) findings.push(["acknowledgement", `${n} was acknowledged and never sent`])
    else if (!received.has(n)) findings.push(["acknowledgement", `${n} was acknowledged and never received`])
    if (seen.has(n)) findings.push(["acknowledgement", `${n} was acknowledged again`])
    if (reported.has(n))
      findings.push(["acknowledgement", `${n} was acknowledged and then reported as unacknowledged`])
    seen.add(n)
  }
  return findings
}

function checkReport(side: Side): readonly Finding[] {
  const findings: Finding[] = []
  const place = new Map(side.sent.map((n, index) => [n, index]))
  const seen = new Set<number>()
  let last = -1
  for (const n of side.unacknowledged) {
    const at = place.get(n)
    if (at === undefined) findings.push(["report", `${n} was reported and never sent in this session`])
    else if (seen.has(n)) findings.push(["report", `${n} was reported again`])
    else if (at < last) findings.push(["report", `${n} was reported out of order`])
    last = Math.max(last, at ?? -1)
    seen.add(n)
  }
  return findings
}

function checkEndings(side: Side, peer: Side, options: HistoryOptions): readonly Finding[] {
  const findings: Finding[] = []
  const { endings, openedCount } = side
  if (openedCount > 1) findings.push(["ending", `the session began ${openedCount} times`])
  if (endings.length > 1) {
    findings.push([
      "ending",
      `the session ended ${endings.length} times: ${endings.map(({ cause }) => cause).join(", ")}`,
    ])
  }
  if (options.isQuiet === true && endings.length === 0 && peer.endings.length > 0) {
    findings.push([
      "ending",
      `the session did not end, though the ${peer.end} saw its end: ${peer.endings[0]?.cause}`,
    ])
  }
  const { allowedCauses } = options
  for (const { kind, cause } of endings) {
    if (kind === "reset" && allowedCauses?.includes(cause) === false) {
      findings.push(["cause", `the session was reset for ${cause}, which is not allowed`])
    }
  }
  return findings
}

function nameOf(event: SessionEvent): string {
  return "n" in event ? `${event.kind} ${event.n}` : event.kind
}
