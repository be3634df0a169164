// Which metrics a server has, and where each finds its values among the server's statistics. Knows no library; that
// docs/metrics.md describes exactly these is tested.
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

/** The statistics that are one number each. */
type NumberKey = { [K in keyof ServerStats]: ServerStats[K] extends number ? K : never }[keyof ServerStats]

type NumberRow = readonly [name: string, key: NumberKey, help: string]

const gauges: readonly NumberRow[] = [
  ["connections", "connections", "Sockets that are open now, logged in or not."],
  ["topics", "topics", "Topics that somebody is in now."],
  ["topic_members", "topicMembers", "Stays of sessions in topics that they joined by themselves."],
  ["topic_history_bytes", "topicHistoryBytes", "Bytes of the histories of all topics."],
  ["replica_records", "replicaRecords", "Records of all replicas."],
  ["replica_cells", "replicaCells", "Cells of replicas that have records or viewers now."],
  [
    "replica_delta_bytes",
    "replicaDeltaBytes",
    "Memory of the changes that cells hold for viewers who missed some.",
  ],
  ["replica_viewers", "viewing", "Sessions that see any replica now."],
  [
    "replica_viewers_conflated",
    "conflated",
    "Of these, the ones that have fallen behind now and wait for their socket or their link.",
  ],
  [
    "state_unacknowledged_bytes",
    "stateUnacknowledgedBytes",
    "Bytes of replicas and volatile events that were sent and that clients have not acknowledged.",
  ],
  ["timers", "timers", "Deadlines that wait now; 0 on a server without connections and sessions."],
  [
    "buffered_messages",
    "bufferedMessages",
    "Reliable messages that sessions keep now because their clients have not acknowledged them.",
  ],
  [
    "buffered_bytes",
    "bufferedBytes",
    "Bytes of these messages, a broadcast counted once for each session that keeps it.",
  ],
  ["replay_bytes", "replayBytes", "Bytes of these messages, a broadcast counted once for all of them."],
  [
    "idempotency_bytes",
    "idempotencyBytes",
    "Memory of the remembered outcomes of requests with an idempotency key.",
  ],
]

const counters: readonly NumberRow[] = [
  ["connections_opened_total", "connectionsAccepted", "Sockets that were taken in."],
  ["connections_closed_total", "connectionsClosed", "Sockets that have gone."],
  [
    "silent_connections_closed_total",
    "silentConnectionsClosed",
    "Sockets that were dropped because nothing was heard after a ping.",
  ],
  [
    "slow_consumers_closed_total",
    "slowConsumersClosed",
    "Sockets that were dropped because their peer was heard, but acknowledged nothing, or too much waited for it.",
  ],
  ["topic_joins_total", "topicJoins", "Joins of clients that the application allowed."],
  ["topic_joins_refused_total", "topicJoinsRefused", "Joins of clients that were refused."],
  [
    "topic_members_put_out_total",
    "topicMembersPutOut",
    "Members that were put out, by the application or because they may not be in any more.",
  ],
  ["topic_publishes_total", "topicPublishes", "Publications of clients to topics."],
  [
    "topic_publishes_refused_total",
    "topicPublishesRefused",
    "Publications of clients to topics that were refused.",
  ],
  [
    "topic_replays_total",
    "topicReplays",
    "Publications that were sent again from the history of their topic.",
  ],
  ["topic_gaps_total", "topicGaps", "Joins that were told of publications which nobody keeps any more."],
  ["presence_updates_total", "presenceUpdates", "Events that told members who is in their topic."],
  [
    "replica_cells_packed_total",
    "replicaCellsPacked",
    "Changed cells of replicas that were packed, each once for all of its viewers.",
  ],
  ["replica_frames_sent_total", "replicaFramesSent", "Frames of replicas that were sent."],
  ["replica_bytes_sent_total", "replicaBytesSent", "Bytes of these frames."],
  [
    "replica_conflations_total",
    "viewersConflated",
    "Sessions that fell behind with their replicas, each time until their socket or their link had drained.",
  ],
  [
    "replica_updates_conflated_total",
    "replicaUpdatesConflated",
    "Updates that such a session was not sent, because a later one stands for them.",
  ],
  ["sessions_opened_total", "sessionsOpened", "Sessions that began."],
  [
    "session_detachments_total",
    "sessionsDetached",
    "Sessions that lost their connection and waited for another.",
  ],
  [
    "session_takeovers_total",
    "takeovers",
    "Resumes that took a session from a connection that was still bound to it.",
  ],
  [
    "messages_received_total",
    "messagesReceived",
    "Messages that arrived in sessions, control frames included.",
  ],
  ["received_bytes_total", "bytesReceived", "Bytes of these messages."],
  ["messages_sent_total", "messagesSent", "Messages that were handed to sockets, replayed ones included."],
  ["sent_bytes_total", "bytesSent", "Bytes of these messages."],
  ["messages_replayed_total", "messagesReplayed", "Messages that were sent again after a resume."],
  ["replayed_bytes_total", "bytesReplayed", "Bytes of these messages."],
  ["acks_sent_total", "acksSent", "Acknowledgements that were sent as frames of their own."],
  [
    "volatile_conflated_total",
    "volatileConflated",
    "Keyed volatile values that a newer value replaced before they were sent.",
  ],
  ["volatile_dropped_total", "volatileDropped", "Volatile values without a key that were dropped."],
  [
    "publications_encoded_total",
    "publicationsEncoded",
    "Events that were encoded, once for each wire profile.",
  ],
  [
    "requests_abandoned_total",
    "requestsAbandoned",
    "Requests that were not answered because their session ended first.",
  ],
  [
    "requests_voided_total",
    "requestsVoided",
    "Requests that were cancelled before they arrived and were not started.",
  ],
  ["bad_messages_total", "badMessages", "Messages that do not follow the protocol."],
  ["throttled_pauses_total", "throttledPauses", "Times that reading paused because a user sent too much."],
  ["drains_total", "drains", "Times that clients were asked to move to new connections."],
  [
    "drain_overdue_total",
    "drainOverdue",
    "Connections that were closed because their client did not move in time.",
  ],
]

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
  ...gauges.map((row) => plainMetric("gauge", row)),
  ...tallies,
  ...counters.map((row) => plainMetric("counter", row)),
  ...histograms,
]

function plainMetric(type: "counter" | "gauge", [name, key, help]: NumberRow): MetricDefinition {
  return { name, type, help, labelNames: [], read: (stats) => [{ labels: {}, value: stats[key] }] }
}

function byLabel(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }))
}
