// Definitions of a journal's metrics. Only a server with a journal has them. Must not know a metrics library.
import type { Recovery } from "../journal/server-journal.ts"
import type { MetricDefinition } from "./definitions.ts"
import type { JournalStats } from "./server-stats.ts"

/** Type, name and help of a metric with one value, and the factor between the statistic and the metric. */
type Row = readonly [type: "counter" | "gauge", name: string, help: string, perUnit?: number]

const secondsPerMs = 1 / 1_000

/** Metrics by statistic. A statistic without a metric does not compile. */
const rows: Readonly<Record<Exclude<keyof JournalStats, "appends" | "recovery">, Row>> = {
  records: ["counter", "journal_records_total", "Records that were appended to the journal."],
  bytes: ["counter", "journal_bytes_total", "Bytes of these records."],
  stalls: ["counter", "journal_stalls_total", "Appends that took more than 50 ms."],
  heldMs: [
    "counter",
    "journal_held_seconds_total",
    "Time for which output has waited for appends outside the event loop.",
    secondsPerMs,
  ],
  pendingMs: [
    "gauge",
    "journal_pending_seconds",
    "Age of the append that all output waits for now; 0 for none.",
    secondsPerMs,
  ],
  writesRefused: [
    "counter",
    "journal_writes_refused_total",
    "Writes that the disk refused, retries included: it is full, or failing.",
  ],
  syncs: ["counter", "journal_syncs_total", "Times that records were moved to the disk."],
  syncsFailed: [
    "counter",
    "journal_syncs_failed_total",
    "Syncs that failed; the journal began anew in another file each time.",
  ],
  keptBytes: ["gauge", "journal_kept_bytes", "Bytes of the journal on its disk."],
}

/** Metrics of the start by statistic. A statistic without a metric does not compile. */
const recoveryRows: Readonly<Record<keyof Recovery, Row>> = {
  tookMs: [
    "gauge",
    "journal_recovery_seconds",
    "Time of the last start for reading the journal and restoring its content.",
    secondsPerMs,
  ],
  bytes: ["gauge", "journal_recovery_bytes", "Bytes of the journal that the last start has read."],
  sessions: ["gauge", "journal_restored_sessions", "Sessions that the last start has continued."],
  topics: ["gauge", "journal_restored_topics", "Topics that the last start has continued."],
  records: [
    "gauge",
    "journal_restored_records",
    "Records of durable replicas that the last start has restored.",
  ],
  setAside: ["gauge", "journal_set_aside", "Parts of the journal that the last start could not restore."],
  requestsSetAside: [
    "gauge",
    "journal_requests_set_aside",
    "Requests that the last start does not run again, because three processes have ended while they ran.",
  ],
  tornBytes: ["gauge", "journal_torn_bytes", "Bytes of a torn record that the last start has removed."],
  isWhole: [
    "gauge",
    "journal_recovery_incomplete",
    "Whether records may be missing since the last start, which found a copy or a loss of power: 1 or 0.",
  ],
}

/** Metrics of a server with a journal, in the order of registration. */
export const journalDefinitions: readonly MetricDefinition[] = [
  ...entriesOf(rows).map(([key, row]) => plainMetric(row, (journal) => journal[key])),
  ...entriesOf(recoveryRows).map(([key, row]) =>
    plainMetric(row, ({ recovery }) => {
      if (recovery === undefined) return undefined
      return key === "isWhole" ? Number(!recovery.isWhole) : Number(recovery[key])
    }),
  ),
  {
    name: "journal_append_seconds",
    type: "histogram",
    help: "Time from the append of a record to the moment at which it is kept and its output may leave.",
    labelNames: [],
    read: ({ journal }) => (journal === undefined ? [] : [{ labels: {}, reading: journal.appends }]),
  },
]

function plainMetric(
  [type, name, help, perUnit = 1]: Row,
  valueOf: (journal: JournalStats) => number | undefined,
): MetricDefinition {
  return {
    name,
    type,
    help,
    labelNames: [],
    read({ journal }) {
      const value = journal && valueOf(journal)
      return value === undefined ? [] : [{ labels: {}, value: value * perUnit }]
    },
  }
}

function entriesOf<K extends string>(table: Readonly<Record<K, Row>>): (readonly [K, Row])[] {
  const isKey = (key: string): key is K => Object.hasOwn(table, key)
  return Object.keys(table)
    .filter(isKey)
    .map((key) => [key, table[key]] as const)
}
