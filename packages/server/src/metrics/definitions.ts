// Definitions of the server's metrics, each with a function that reads its value from the statistics. A test compares them
// with docs/metrics.md. Must not know a metrics library.
import type { ServerCounters } from "../base/counters.ts"
import type { ServerStats } from "./server-stats.ts"
import type { HistogramReading } from "../base/histogram.ts"

type Labels = Readonly<Record<string, string | number>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface Distribution {
  readonly labels: Labels
  readonly reading: HistogramReading
}

interface NamedMetric {
  /** Name without the prefix. */
  readonly name: string
  /** Help text, one sentence. */
  readonly help: string
  readonly labelNames: readonly string[]
}

export type MetricDefinition =
  | (NamedMetric & {
      readonly type: "counter" | "gauge"
      readonly read: (stats: ServerStats) => readonly Sample[]
    })
  | (NamedMetric & {
      readonly type: "histogram"
      readonly read: (stats: ServerStats) => readonly Distribution[]
    })

/** Statistics that are a single number. */
type NumberKey = { [K in keyof ServerStats]: ServerStats[K] extends number ? K : never }[keyof ServerStats]

/** Name and help of a metric with one value. */
type Row = readonly [name: string, help: string]

/** Counters that a metric with labels reports: `tallies` and `histograms` below. */
type LabelledCounter =
  | "handshakesAccepted"
  | "handshakesRefused"
  | "handshakesAbandoned"
  | "resumesAsked"
  | "sessionsResumed"
  | "sessionsEnded"
  | "requestsSettled"
  | "requestsFailed"

/** Gauges with labels or another unit: `tallies` below. `sessions` is the sum of its two states. */
type OtherGauge = "sessions" | "attached" | "detached" | "stateOldestMs"

/** Gauges by statistic. A statistic without a gauge does not compile. */
const gauges: Readonly<Record<Exclude<NumberKey, keyof ServerCounters | OtherGauge>, Row>> = {
  connections: ["connections", "Open sockets, logged in or not."],
  topics: ["topics", "Topics that contain sessions."],
  topicMembers: ["topic_members", "Memberships of sessions in topics that their clients joined."],
  topicHistoryBytes: ["topic_history_bytes", "Bytes of the histories of all topics."],
  replicaRecords: ["replica_records", "Records of all replicas, of topics included."],
  replicaCells: ["replica_cells", "Cells of replicas with records or viewers."],
  replicaDeltaBytes: [
    "replica_delta_bytes",
    "Memory of the deltas that cells hold for viewers that miss some.",
  ],
  viewing: ["replica_viewers", "Sessions that view replicas."],
  conflated: [
    "replica_viewers_conflated",
    "Sessions whose replica updates are conflated until their connection has capacity.",
  ],
  stateUnacknowledgedBytes: [
    "state_unacknowledged_bytes",
    "Bytes of replica frames and volatile events that were sent and are not acknowledged.",
  ],
  timers: ["timers", "Pending timers; 0 on a server without connections and sessions."],
  bufferedMessages: [
    "buffered_messages",
    "Reliable messages in send buffers that clients have not acknowledged.",
  ],
  bufferedBytes: [
    "buffered_bytes",
    "Bytes of these messages; a broadcast counts once for each session that buffers it.",
  ],
  replayBytes: ["replay_bytes", "Bytes of these messages; a broadcast counts once for all sessions."],
  idempotencyBytes: ["idempotency_bytes", "Memory of stored outcomes of requests with an idempotency key."],
}

/** Metrics by counter. A counter without a metric does not compile. */
const counters: Readonly<Record<Exclude<keyof ServerCounters, LabelledCounter>, Row>> = {
  connectionsAccepted: ["connections_opened_total", "Sockets that were accepted."],
  connectionsClosed: ["connections_closed_total", "Sockets that have ended."],
  silentConnectionsClosed: [
    "silent_connections_closed_total",
    "Sockets that were dropped because no bytes arrived after a ping.",
  ],
  slowConsumersClosed: [
    "slow_consumers_closed_total",
    "Sockets that were dropped because their peer sent bytes but no acknowledgement, or its send buffer was full.",
  ],
  topicJoins: ["topic_joins_total", "Joins of clients that succeeded."],
  topicJoinsRefused: ["topic_joins_refused_total", "Joins of clients that were refused."],
  topicMembersPutOut: [
    "topic_members_put_out_total",
    "Members that were removed by the application, or because canJoin no longer permitted them.",
  ],
  topicPublishes: ["topic_publishes_total", "Publications of clients to topics that succeeded."],
  topicPublishesRefused: [
    "topic_publishes_refused_total",
    "Publications of clients to topics that were refused.",
  ],
  topicReplays: ["topic_replays_total", "Publications that were replayed from the history of their topic."],
  topicGaps: ["topic_gaps_total", "Joins with a gap: missed publications were no longer retained."],
  presenceUpdates: ["presence_updates_total", "Presence events to members of topics, each encoded once."],
  replicaCellsPacked: [
    "replica_cells_packed_total",
    "Changed cells of replicas that were packed, each once for all its viewers.",
  ],
  replicaFramesSent: ["replica_frames_sent_total", "Frames of replicas that were sent."],
  replicaBytesSent: ["replica_bytes_sent_total", "Bytes of these frames."],
  viewersConflated: [
    "replica_conflations_total",
    "Times that a session's replica updates were conflated until its connection had capacity.",
  ],
  replicaUpdatesConflated: [
    "replica_updates_conflated_total",
    "Replica updates that were not sent because a later one replaced them.",
  ],
  sessionsOpened: ["sessions_opened_total", "Sessions that began."],
  sessionsDetached: ["session_detachments_total", "Sessions that lost their connection and were detached."],
  takeovers: [
    "session_takeovers_total",
    "Resumes of sessions that were still attached to another connection.",
  ],
  messagesReceived: [
    "messages_received_total",
    "Messages that arrived in sessions, control frames included.",
  ],
  bytesReceived: ["received_bytes_total", "Bytes of these messages."],
  messagesSent: ["messages_sent_total", "Messages that were written to sockets, replayed ones included."],
  bytesSent: ["sent_bytes_total", "Bytes of these messages."],
  messagesReplayed: ["messages_replayed_total", "Messages that were replayed after a resume."],
  bytesReplayed: ["replayed_bytes_total", "Bytes of these messages."],
  acksSent: ["acks_sent_total", "Acknowledgements that were sent as separate frames."],
  volatileConflated: [
    "volatile_conflated_total",
    "Keyed volatile values that a newer value replaced before they were sent.",
  ],
  volatileDropped: ["volatile_dropped_total", "Volatile values without a key that were dropped."],
  publicationsEncoded: [
    "publications_encoded_total",
    "Events that were encoded, once for each wire profile.",
  ],
  requestsAbandoned: [
    "requests_abandoned_total",
    "Requests without a reply because their session ended first.",
  ],
  requestsVoided: [
    "requests_voided_total",
    "Requests that were cancelled before they arrived and were not started.",
  ],
  badMessages: ["bad_messages_total", "Messages that do not follow the protocol."],
  throttledPauses: ["throttled_pauses_total", "Times that reading paused because a user sent too much."],
  drains: ["drains_total", "Times that the server asked clients to move to new connections."],
  drainOverdue: [
    "drain_overdue_total",
    "Connections that were closed because their client did not move in time.",
  ],
}

const tallies: readonly MetricDefinition[] = [
  {
    name: "sockets_dropped_total",
    type: "counter",
    help: "TCP connections of Node's HTTP servers that were dropped before a request, by reason.",
    labelNames: ["reason"],
    read: (stats) => byLabel("reason", stats.socketsDroppedByReason),
  },
  {
    name: "upgrades_refused_total",
    type: "counter",
    help: "Requests for a WebSocket that were refused before a connection existed, by reason.",
    labelNames: ["reason"],
    read: (stats) => byLabel("reason", stats.upgradesRefusedByReason),
  },
  {
    name: "handshakes_total",
    type: "counter",
    help: "Logins on a new connection, by outcome: accepted, refused or abandoned.",
    labelNames: ["outcome"],
    read: ({ handshakesAccepted: accepted, handshakesRefused: refused, handshakesAbandoned: abandoned }) =>
      byLabel("outcome", { accepted, refused, abandoned }),
  },
  {
    name: "handshakes_refused_total",
    type: "counter",
    help: "Refused logins, by error code.",
    labelNames: ["code"],
    read: (stats) => byLabel("code", stats.handshakesRefusedByCode),
  },
  {
    name: "resumes_total",
    type: "counter",
    help: "Requests to resume a session, by outcome: resumed or refused.",
    labelNames: ["outcome"],
    read: ({ resumesAsked, sessionsResumed: resumed }) =>
      byLabel("outcome", { resumed, refused: resumesAsked - resumed }),
  },
  {
    name: "resumes_refused_total",
    type: "counter",
    help: "Resumes that were refused, by cause.",
    labelNames: ["cause"],
    read: (stats) => byLabel("cause", stats.resumesRefusedByCause),
  },
  {
    name: "sessions",
    type: "gauge",
    help: "Open sessions, by state: attached, or detached without a connection.",
    labelNames: ["state"],
    read: ({ attached, detached }) => byLabel("state", { attached, detached }),
  },
  {
    name: "state_oldest_seconds",
    type: "gauge",
    help: "Age of the oldest replica frame or volatile event that a client has not acknowledged; 0 for none.",
    labelNames: [],
    read: ({ stateOldestMs }) => [{ labels: {}, value: stateOldestMs / 1_000 }],
  },
  {
    name: "sessions_ended_total",
    type: "counter",
    help: "Sessions that ended, by cause.",
    labelNames: ["cause"],
    read: (stats) => byLabel("cause", stats.sessionsEndedByCause),
  },
  {
    name: "request_failures_total",
    type: "counter",
    help: "Requests whose reply was an error, by the contract's name of the call and by code.",
    labelNames: ["call", "code"],
    read: ({ calls }) =>
      Object.entries(calls).flatMap(([call, { failedByCode }]) =>
        byLabel("code", failedByCode).map(({ labels, value }) => ({ labels: { call, ...labels }, value })),
      ),
  },
]

const histograms: readonly MetricDefinition[] = [
  {
    name: "session_attached_seconds",
    type: "histogram",
    help: "Time between the attachment and the detachment of a session.",
    labelNames: [],
    read: ({ attachments }) => [{ labels: {}, reading: attachments }],
  },
  {
    name: "session_detached_seconds",
    type: "histogram",
    help: "Time between the detachment of a session and its resume or end, by outcome: resumed or ended.",
    labelNames: ["outcome"],
    read: ({ absencesResumed, absencesEnded }) => [
      { labels: { outcome: "resumed" }, reading: absencesResumed },
      { labels: { outcome: "ended" }, reading: absencesEnded },
    ],
  },
  {
    name: "request_duration_seconds",
    type: "histogram",
    help: "Time from the arrival of a request to its reply, by the contract's name of the call.",
    labelNames: ["call"],
    read: ({ calls }) =>
      Object.entries(calls).map(([call, { latency }]) => ({ labels: { call }, reading: latency })),
  },
]

/** All metrics, in the order of registration. */
export const metricDefinitions: readonly MetricDefinition[] = [
  ...keysOf(gauges).map((key) => plainMetric("gauge", key, gauges[key])),
  ...tallies,
  ...keysOf(counters).map((key) => plainMetric("counter", key, counters[key])),
  ...histograms,
]

function keysOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table).filter((key): key is keyof T & string => Object.hasOwn(table, key))
}

function plainMetric(type: "counter" | "gauge", key: NumberKey, [name, help]: Row): MetricDefinition {
  return { name, type, help, labelNames: [], read: (stats) => [{ labels: {}, value: stats[key] }] }
}

function byLabel(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }))
}
