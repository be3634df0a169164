// Defines the server's metrics and reads their values from the server's statistics. A test compares them with
// docs/metrics.md. Must not know a metrics library.
import type { ServerCounters } from "../base/counters.ts"
import type { ServerStats } from "./server-stats.ts"
import type { HistogramReading } from "../base/histogram.ts"

type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface Distribution {
  readonly labels: Labels
  readonly reading: HistogramReading
}

interface NamedMetric {
  /** Without the prefix. */
  readonly name: string
  /** One sentence. */
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

/** Statistics that are one number each. */
type NumberKey = { [K in keyof ServerStats]: ServerStats[K] extends number ? K : never }[keyof ServerStats]

/** A metric with one value: its name and its help. */
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

/** Gauges that have labels or another unit: `tallies` below. `sessions` is the sum of its two states. */
type OtherGauge = "sessions" | "attached" | "detached" | "stateOldestMs"

/** By statistic. A gauge without a metric does not compile. */
const gauges: Readonly<Record<Exclude<NumberKey, keyof ServerCounters | OtherGauge>, Row>> = {
  connections: ["connections", "Sockets that are open now, logged in or not."],
  topics: ["topics", "Topics that somebody is in now."],
  topicMembers: ["topic_members", "Stays of sessions in topics that they joined by themselves."],
  topicHistoryBytes: ["topic_history_bytes", "Bytes of the histories of all topics."],
  replicaRecords: ["replica_records", "Records of all replicas."],
  replicaCells: ["replica_cells", "Cells of replicas that have records or viewers now."],
  replicaDeltaBytes: [
    "replica_delta_bytes",
    "Memory of the changes that cells hold for viewers who missed some.",
  ],
  viewing: ["replica_viewers", "Sessions that see any replica now."],
  conflated: [
    "replica_viewers_conflated",
    "Of these, the ones that have fallen behind now and wait for their socket or their link.",
  ],
  stateUnacknowledgedBytes: [
    "state_unacknowledged_bytes",
    "Bytes of replicas and volatile events that were sent and that clients have not acknowledged.",
  ],
  timers: ["timers", "Deadlines that wait now; 0 on a server without connections and sessions."],
  bufferedMessages: [
    "buffered_messages",
    "Reliable messages that sessions keep now because their clients have not acknowledged them.",
  ],
  bufferedBytes: [
    "buffered_bytes",
    "Bytes of these messages, a broadcast counted once for each session that keeps it.",
  ],
  replayBytes: ["replay_bytes", "Bytes of these messages, a broadcast counted once for all of them."],
  idempotencyBytes: [
    "idempotency_bytes",
    "Memory of the remembered outcomes of requests with an idempotency key.",
  ],
}

/** By counter. A counter without a metric does not compile. */
const counters: Readonly<Record<Exclude<keyof ServerCounters, LabelledCounter>, Row>> = {
  connectionsAccepted: ["connections_opened_total", "Sockets that were taken in."],
  connectionsClosed: ["connections_closed_total", "Sockets that have gone."],
  silentConnectionsClosed: [
    "silent_connections_closed_total",
    "Sockets that were dropped because nothing was heard after a ping.",
  ],
  slowConsumersClosed: [
    "slow_consumers_closed_total",
    "Sockets that were dropped because their peer was heard, but acknowledged nothing, or too much waited for it.",
  ],
  topicJoins: ["topic_joins_total", "Joins of clients that the application allowed."],
  topicJoinsRefused: ["topic_joins_refused_total", "Joins of clients that were refused."],
  topicMembersPutOut: [
    "topic_members_put_out_total",
    "Members that were put out, by the application or because they may not be in any more.",
  ],
  topicPublishes: ["topic_publishes_total", "Publications of clients to topics."],
  topicPublishesRefused: [
    "topic_publishes_refused_total",
    "Publications of clients to topics that were refused.",
  ],
  topicReplays: ["topic_replays_total", "Publications that were sent again from the history of their topic."],
  topicGaps: ["topic_gaps_total", "Joins that were told of publications which nobody keeps any more."],
  presenceUpdates: ["presence_updates_total", "Events that told members who is in their topic."],
  replicaCellsPacked: [
    "replica_cells_packed_total",
    "Changed cells of replicas that were packed, each once for all of its viewers.",
  ],
  replicaFramesSent: ["replica_frames_sent_total", "Frames of replicas that were sent."],
  replicaBytesSent: ["replica_bytes_sent_total", "Bytes of these frames."],
  viewersConflated: [
    "replica_conflations_total",
    "Sessions that fell behind with their replicas, each time until their socket or their link had drained.",
  ],
  replicaUpdatesConflated: [
    "replica_updates_conflated_total",
    "Updates that such a session was not sent, because a later one stands for them.",
  ],
  sessionsOpened: ["sessions_opened_total", "Sessions that began."],
  sessionsDetached: [
    "session_detachments_total",
    "Sessions that lost their connection and waited for another.",
  ],
  takeovers: [
    "session_takeovers_total",
    "Resumes that took a session from a connection that was still bound to it.",
  ],
  messagesReceived: [
    "messages_received_total",
    "Messages that arrived in sessions, control frames included.",
  ],
  bytesReceived: ["received_bytes_total", "Bytes of these messages."],
  messagesSent: ["messages_sent_total", "Messages that were handed to sockets, replayed ones included."],
  bytesSent: ["sent_bytes_total", "Bytes of these messages."],
  messagesReplayed: ["messages_replayed_total", "Messages that were sent again after a resume."],
  bytesReplayed: ["replayed_bytes_total", "Bytes of these messages."],
  acksSent: ["acks_sent_total", "Acknowledgements that were sent as frames of their own."],
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
    "Requests that were not answered because their session ended first.",
  ],
  requestsVoided: [
    "requests_voided_total",
    "Requests that were cancelled before they arrived and were not started.",
  ],
  badMessages: ["bad_messages_total", "Messages that do not follow the protocol."],
  throttledPauses: ["throttled_pauses_total", "Times that reading paused because a user sent too much."],
  drains: ["drains_total", "Times that clients were asked to move to new connections."],
  drainOverdue: [
    "drain_overdue_total",
    "Connections that were closed because their client did not move in time.",
  ],
}

const tallies: readonly MetricDefinition[] = [
  {
    name: "sockets_dropped_total",
    type: "counter",
    help: "TCP connections of Node's HTTP servers that were dropped before a request came, by reason.",
    labelNames: ["reason"],
    read: (stats) => byLabel("reason", stats.socketsDroppedByReason),
  },
  {
    name: "upgrades_refused_total",
    type: "counter",
    help: "Requests for a WebSocket that were refused before there was a connection, by reason.",
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
    help: "Clients that came back for their session, by outcome: resumed or refused.",
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
    help: "Sessions of now, by state: attached, or detached while their client is away.",
    labelNames: ["state"],
    read: ({ attached, detached }) => byLabel("state", { attached, detached }),
  },
  {
    name: "state_oldest_seconds",
    type: "gauge",
    help: "Age of the oldest frame of replicas or volatile events that a client has not acknowledged; 0 for none.",
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
    help: "Requests that were answered with an error, by the contract's name of the call and by code.",
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
    help: "How long sessions had a connection without a pause, of those times that are over.",
    labelNames: [],
    read: ({ attachments }) => [{ labels: {}, reading: attachments }],
  },
  {
    name: "session_detached_seconds",
    type: "histogram",
    help: "How long clients were away, by outcome: until they resumed, or until their session ended.",
    labelNames: ["outcome"],
    read: ({ absencesResumed, absencesEnded }) => [
      { labels: { outcome: "resumed" }, reading: absencesResumed },
      { labels: { outcome: "ended" }, reading: absencesEnded },
    ],
  },
  {
    name: "request_duration_seconds",
    type: "histogram",
    help: "Time from the arrival of a request to its answer, by the contract's name of the call.",
    labelNames: ["call"],
    read: ({ calls }) =>
      Object.entries(calls).map(([call, { latency }]) => ({ labels: { call }, reading: latency })),
  },
]

/** Every metric, in the order in which they are shown. */
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
