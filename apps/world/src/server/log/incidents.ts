// Decides which contained failures become lines of the log. A peer's violation (bytes that are no WebSocket, a reset
// connection) is counted, and logged once a minute and kind in at most 256 bytes, without a stack. A fault of the server
// is logged with its stack, 5 times a minute and kind. Must not know where the lines go.
import { HawserError } from "@hawser/server"

const minuteMs = 60_000
/**
 * Lines of one kind a minute for the server's faults, each with its stack. A kind of violation has one line a minute.
 */
const stacksPerMinute = 5
/** Maximum number of distinct kinds. Beyond it a new kind counts as `other`. */
const kindsMax = 64
/** Bytes of the error's message in the line of a violation, so that the line stays within 256 bytes. */
const peerMessageMaxBytes = 48

export interface IncidentLog {
  /** Reports a contained failure. `context` becomes fields of its line, if it is a fault of the server. */
  readonly report: (error: unknown, context?: object) => void
  /** Peers' violations so far, by kind. */
  readonly violations: ReadonlyMap<string, number>
}

export interface IncidentLogOptions {
  readonly log: { warn(fields: object, message: string): void }
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

interface Kind {
  minuteStartMs: number
  lines: number
  leftOut: number
}

export function createIncidentLog({ log, nowMs }: IncidentLogOptions): IncidentLog {
  const kinds = new Map<string, Kind>()
  const violations = new Map<string, number>()

  /** Returns how many failures of this kind were omitted since its last line; undefined if this one is omitted too. */
  function turn(name: string, linesPerMinute: number): number | undefined {
    const now = nowMs()
    const kind = kinds.get(name) ?? { minuteStartMs: now, lines: 0, leftOut: 0 }
    kinds.set(name, kind)
    if (now - kind.minuteStartMs >= minuteMs) Object.assign(kind, { minuteStartMs: now, lines: 0 })
    if (kind.lines >= linesPerMinute) {
      kind.leftOut += 1
      return undefined
    }
    const { leftOut } = kind
    kind.lines += 1
    kind.leftOut = 0
    return leftOut
  }

  const bounded = (name: string): string => (kinds.has(name) || kinds.size < kindsMax ? name : "other")

  function reportViolation(code: string, message: string): void {
    const kind = bounded(code)
    violations.set(kind, (violations.get(kind) ?? 0) + 1)
    const leftOut = turn(kind, 1)
    if (leftOut === undefined) return
    log.warn({ kind, leftOut, why: cut(message, peerMessageMaxBytes) }, "a peer broke the rules")
  }

  return {
    report(error, context = {}) {
      const violation = violationOf(error)
      if (violation !== undefined) {
        reportViolation(violation.code, violation.message)
        return
      }
      const leftOut = turn(bounded(`fault ${faultName(error)}`), stacksPerMinute)
      if (leftOut === undefined) return
      log.warn(
        { err: error, ...context, ...(leftOut === 0 ? {} : { leftOut }) },
        "something failed and was contained",
      )
    },
    violations,
  }
}

/** Error codes of Node's sockets, of its HTTP parser and of `ws` that a peer can cause. */
const peerCode =
  /^(?:WS_ERR_\w{1,48}|HPE_\w{1,48}|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ERR_STREAM_\w{1,48})$/

function violationOf(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error) || HawserError.is(error)) return undefined
  const code = "code" in error ? error.code : undefined
  return typeof code === "string" && peerCode.test(code) ? { code, message: error.message } : undefined
}

/** Returns class and place of a fault. The message is left out, because it may contain numbers. */
function faultName(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const place = /\n\s+at ([^\n]{1,120})/.exec(error.stack ?? "")?.[1] ?? ""
  return `${error.name} ${place}`
}

/**
 * Cuts to `maxBytes`, also once encoded as JSON: every character but printable ASCII, and each quote or backslash,
 * becomes `?`.
 */
function cut(text: string, maxBytes: number): string {
  return Array.from(text.slice(0, maxBytes), (char) =>
    /[ -~]/.test(char) && !/["\\]/.test(char) ? char : "?",
  ).join("")
}
