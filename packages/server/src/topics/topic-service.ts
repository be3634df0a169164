// Builds the parts of a server's topics and connects them. Must not know connections.
import { topicRequests } from "@hawser/protocol/core"
import type { CallEntry } from "@hawser/protocol/core"
import { randomBytes } from "node:crypto"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Calls } from "../calls/create-calls.ts"
import type { Replicas } from "../replicas/replicas.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import { Hub } from "./hub.ts"
import type { HubPublication } from "./hub.ts"
import { MemoryTopicLog } from "./memory-topic-log.ts"
import type { TopicLogNotes } from "./memory-topic-log.ts"
import { PresenceBoard, protocolSpec } from "./presence-board.ts"
import { Publisher } from "./publisher.ts"
import { TopicMemberships } from "./topic-memberships.ts"
import { TopicKinds } from "./topic-kinds.ts"
import { TopicReplicas } from "./topic-replicas.ts"
import { TopicRequests } from "./topic-requests.ts"
import { MembershipIndex } from "./membership-index.ts"

export interface TopicService<User extends AuthenticatedUser> {
  readonly publisher: Publisher<User>
  readonly kinds: TopicKinds<User>
  readonly memberships: TopicMemberships<User>
  readonly log: MemoryTopicLog<HubPublication<ServerSession<User>>>
  readonly index: MembershipIndex<User>
  readonly board: PresenceBoard<User>
  readonly replicas: TopicReplicas<User>
  stop(): void
  /** Topics that contain sessions, memberships of all sessions, and bytes of all histories. */
  readonly counts: {
    readonly topics: number
    readonly topicMembers: number
    readonly topicHistoryBytes: number
  }
}

/** Returns the protocol's own requests. Their handlers validate the input, and throw `invalid_input` as the call router does. */
export function topicEntries(): ReadonlyMap<string, CallEntry> {
  const spec = { input: protocolSpec.payload, output: protocolSpec.payload, trustOutput: true }
  return new Map(Object.keys(topicRequests).map((name) => [name, { call: "command", spec }]))
}

/** The layers below the topics. */
interface LayersBelow<User extends AuthenticatedUser> {
  readonly base: Base
  readonly calls: Calls<User>
  readonly sessions: Pick<Sessions<User>, "registry" | "fanOut" | "compact" | "dialects">
  readonly replicas: Replicas
  /** Ledger of the server; undefined without one. */
  readonly ledger: TopicLedger | undefined
}

/** Notes of topics for a ledger. */
export interface TopicLedger extends TopicLogNotes {
  /** The changes of a topic's presence are published. */
  told(topic: string): void
}

export function createTopics<User extends AuthenticatedUser>({
  base,
  calls: { handlers, limiter },
  sessions: { registry, fanOut, compact, dialects },
  replicas: allReplicas,
  ledger,
}: LayersBelow<User>): TopicService<User> {
  const kinds = new TopicKinds<User>(base.contract, base.onWarning)
  const log = new MemoryTopicLog<HubPublication<ServerSession<User>>>({
    ...base,
    historyOf: (topic) => kinds.historyOf(topic),
    epoch: randomBytes(6).toString("base64url"),
    notes: ledger,
  })
  const hub = new Hub<ServerSession<User>>(log, (topic) => replicas.end(topic))
  const index = new MembershipIndex<User>(base.limits)
  const board = new PresenceBoard<User>({
    ...base,
    fanOut,
    ...(ledger === undefined ? {} : { onTold: (topic) => ledger.told(topic) }),
  })
  const replicas = new TopicReplicas<User>({ ...base, registry, kinds, index, hub, replicas: allReplicas })
  const { middleware } = handlers
  const shared = { ...base, limiter, middleware, registry, fanOut, compact, dialects }
  const parts = { ...shared, kinds, log, hub, index, board, replicas }
  // Ids of all servers have the same length on the wire.
  const memberships = new TopicMemberships<User>(parts, 2 ** 40 + randomBytes(5).readUIntBE(0, 5))
  const publisher = new Publisher<User>(parts, (topic, session) => memberships.unsubscribe(topic, session))
  const requests = new TopicRequests<User>(parts, memberships, publisher)
  for (const [name, handler] of requests.handlers()) handlers.set("command", name, handler)
  return {
    publisher,
    kinds,
    memberships,
    log,
    index,
    board,
    replicas,
    stop() {
      memberships.stop()
      log.stop()
      board.stop()
    },
    get counts() {
      return { topics: hub.size, topicMembers: index.size, topicHistoryBytes: log.historyBytes }
    },
  }
}
