// Names of the operations and of their fields, for people. Must not know files and states.
import type { Field } from "./noting-reader.ts"
import { operation } from "./operation-codes.ts"

type OperationName = keyof typeof operation

/** One operation of a record. */
export interface ShownOperation {
  /** Kind, for example `reply`. */
  readonly kind: string
  /** Fields in the order of the format, each with its label. Later fields of long operations have an empty label. */
  readonly fields: readonly (readonly [label: string, value: Field])[]
}

/** Labels of the fields in the order of the format. */
const labels: Readonly<Record<OperationName, readonly string[]>> = {
  life: ["text", "after a close"],
  round: ["next session"],
  roundEnd: [],
  shared: ["number", "payload"],
  session: ["session", "id", "client", "address", "user"],
  sent: ["payload", "to"],
  reply: ["payload", "to"],
  value: ["key", "payload", "to"],
  settled: ["session", "handled", "digest", "ahead"],
  started: ["session", "request", "runs"],
  acked: ["session", "base", "digest"],
  claims: [
    "session",
    "generation",
    "confirmed",
    "dial",
    "takeovers",
    "window",
    "spent",
    "detached",
    "address",
  ],
  user: ["session", "user"],
  streamOpened: ["session", "stream"],
  streamEnded: ["session", "stream"],
  ended: ["session"],
  end: ["id", "cause", "user", "final", "until"],
  member: ["session", "topic", "member", "away", "behind", "has state", "state"],
  left: ["session", "topic"],
  presence: ["topic", "members", "changed", "gone", "published count"],
  presenceTold: ["topic"],
  topic: ["topic", "epoch", "offset", "ends"],
  published: ["topic", "offset", "retained", "payload", "at", "has except", "except"],
  topicEnded: ["topic"],
  outcome: ["user", "key", "until", "outcome"],
  type: ["number", "name"],
  sentPublished: ["to"],
  topicRestated: ["topic", "epoch", "offset", "ends"],
  replica: ["number", "of a topic", "name", "fields"],
  records: ["replica", "changes", "packed", "new", "ids"],
  replicaEnded: ["replica"],
  retained: ["topic", "offset", "shared", "at", "has except", "except"],
}

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(operation).map(([name, code]) => [code, name]),
)
const labelsOf: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(labels))

/** Returns an operation with labelled fields. */
export function shownOperation(code: number, fields: readonly Field[]): ShownOperation {
  const kind = names.get(code) ?? `operation ${code}`
  const known = labelsOf.get(kind) ?? []
  return { kind, fields: fields.map((value, index) => [known[index] ?? "", value] as const) }
}
