// Words for people about a journal. Every text of the journal is escaped: it may come from a client. Must not read files.
import { escapedLine, quoted } from "@hawser/protocol/core"
import type { InspectedRecord, InspectedSegment, JournalInspection } from "./inspect-journal.ts"
import type { Field } from "./noting-reader.ts"
import type { ShownSession, ShownTopic } from "./shown-state.ts"

/** Options of `recordLines`. */
export interface RecordLineOptions {
  /** True to print the bytes of payloads, users and states, as hexadecimal digits; default false: their size alone. */
  readonly payloads?: boolean
}

/** Returns the report on a journal, in lines. */
export function journalReport(inspection: JournalInspection): readonly string[] {
  const { folder, holder, key, segments, refusal, kinds, state } = inspection
  return [
    `journal ${escapedLine(folder)}`,
    ...(holder === undefined ? [] : [`in use by ${holder}: it may have appended more since`]),
    ...(key === "missing" ? ["resume-key is missing: at the next start every session ends"] : []),
    ...segments.map(segmentLine),
    ...(kinds.size === 0 ? [] : [`operations: ${kindList(kinds)}`]),
    ...(state.lives.length === 0 ? [] : [`lives since the round: ${state.lives.map(quoted).join(", ")}`]),
    ...(refusal === undefined
      ? [summaryLine(inspection)]
      : [
          `the next start is refused: ${escapedLine(refusal)}`,
          `before the fault it holds ${stateSummary(inspection)}`,
        ]),
    ...state.sessions.map(sessionLine),
    ...state.topics.map(topicLine),
  ]
}

/** Returns one record in words: a line for the record, and one for each operation. */
export function recordLines(record: InspectedRecord, options: RecordLineOptions = {}): readonly string[] {
  const { segment, number, offset, atMs, bytes, operations } = record
  return [
    `${quoted(segment)} byte ${offset}: record ${number}, ${timeOf(atMs)}, ${bytes} bytes`,
    ...operations.map(({ kind, fields }) => {
      const shown = fields.map(([label, value]) => `${label} ${valueOf(value, options)}`.trim())
      return `  ${[kind, ...shown].join("  ")}`
    }),
  ]
}

function segmentLine({
  name,
  bytes,
  startsRound,
  firstRecord,
  records,
  atMs,
  fault,
}: InspectedSegment): string {
  return [
    `${quoted(name)}: ${sizeOf(bytes)}`,
    ...(startsRound ? ["begins a round"] : []),
    records === 0 ? "no records" : `records ${firstRecord} to ${firstRecord + records - 1}`,
    ...(atMs === undefined ? [] : [`${timeOf(atMs[0])} to ${timeOf(atMs[1])}`]),
    escapedLine(fault ?? "whole"),
  ].join(", ")
}

function summaryLine(inspection: JournalInspection): string {
  const { isWhole, bytes, tornBytes } = inspection
  const torn = tornBytes === 0 ? "" : `, removes ${tornBytes} bytes of a torn record`
  const missing = isWhole
    ? "no record is missing"
    : "records may be missing at the end (a copy, or a loss of power), so topics get new epochs"
  return `the next start reads ${sizeOf(bytes)}${torn} and restores ${stateSummary(inspection)}; ${missing}`
}

function stateSummary({ state }: JournalInspection): string {
  const { sessions, topics, outcomes, ends } = state
  return [
    count(sessions.length, "session"),
    count(topics.length, "topic"),
    count(outcomes, "outcome"),
    `${count(ends, "end")} of sessions`,
  ].join(", ")
}

function sessionLine(session: ShownSession): string {
  const { id, userId, address, unacknowledged, unacknowledgedBytes, values, running, streams, topics } =
    session
  const parts = [
    `${unacknowledged} unacknowledged (${sizeOf(unacknowledgedBytes)})`,
    ...(values === 0 ? [] : [count(values, "volatile value")]),
    ...(running === 0 ? [] : [count(running, "running request")]),
    ...(streams === 0 ? [] : [count(streams, "open stream")]),
    ...(topics.length === 0 ? [] : [`in ${topics.map(quoted).join(", ")}`]),
    session.windowLeftMs <= 0
      ? "its resume window is over"
      : `its resume window ends in ${Math.ceil(session.windowLeftMs / 1_000)} s`,
  ]
  const user = userId === undefined ? "a user that is not readable" : `user ${quoted(userId)}`
  return `  session ${quoted(id)} of ${user} from ${quoted(address)}: ${parts.join(", ")}`
}

function topicLine({ name, epoch, offset, retained, retainedBytes, members }: ShownTopic): string {
  const history = retained === 0 ? "no history" : `${retained} in its history (${sizeOf(retainedBytes)})`
  return `  topic ${quoted(name)} at offset ${offset} of epoch ${quoted(epoch)}: ${history}, ${count(members, "member")}`
}

function kindList(kinds: ReadonlyMap<string, number>): string {
  return [...kinds]
    .toSorted(([, one], [, other]) => other - one)
    .map(([kind, number]) => `${number} ${kind}`)
    .join(", ")
}

/** Numbers above it are times: no count of a journal reaches a value of 2001. */
const timeMinMs = 1e12

function valueOf(value: Field, { payloads = false }: RecordLineOptions): string {
  if (typeof value === "number") return value > timeMinMs ? timeOf(value) : String(value)
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (typeof value === "string") return quoted(value)
  if (value instanceof Uint8Array)
    return payloads ? Buffer.from(value).toString("hex") : `${value.length} bytes`
  return `[${value.map((number) => (number > timeMinMs ? timeOf(number) : number)).join(" ")}]`
}

function timeOf(atMs: number): string {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? "an impossible time" : date.toISOString()
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`
}

function sizeOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
