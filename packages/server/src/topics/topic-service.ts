// Builds the parts of a server's topics and connects them. Must not know connections.
import { topicCalls } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { CallEntry } from "@hawser/protocol/core"
import { randomBytes } from "node:crypto"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Calls } from "../calls/create-calls.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { MembershipRecord } from "../session/life/session-record.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import { Hub } from "./hub.ts"
import type { HubPublication } from "./hub.ts"
import { MemoryTopicLog } from "./memory-topic-log.ts"
import { PresenceBoard, protocolEvent } from "./presence-board.ts"
import { Publisher } from "./publisher.ts"
import { TopicMemberships } from "./topic-memberships.ts"
import { TopicKinds } from "./topic-kinds.ts"
import { TopicRequests } from "./topic-requests.ts"
import { MembershipIndex } from "./membership-index.ts"

export interface TopicService<User extends AuthenticatedUser> {
  readonly publisher: Publisher<User>
  readonly kinds: TopicKinds<User>
  onAttachment(session: ServerSession<User>): void
  onRenewed(session: ServerSession<User>): void
  onEnded(session: ServerSession<User>): void
  onFrozen(session: ServerSession<User>): readonly MembershipRecord[]
  onThawed(session: ServerSession<User>, records: readonly MembershipRecord[]): void
  stop(): void
  /** Topics that contain sessions, memberships of all sessions, and bytes of all histories. */
  readonly counts: { readonly topics: number; readonly members: number; readonly historyBytes: number }
}

/** Returns the protocol's own requests of a contract with topics; an empty map for a contract without topics. */
export function topicEntries({ topics }: Pick<Contract, "topics">): ReadonlyMap<string, CallEntry> {
  // The handlers validate the input, and throw `invalid_input` as the call router does.
  const spec = { input: protocolEvent.payload, output: protocolEvent.payload }
  const names = Object.keys(topics).length === 0 ? [] : Object.keys(topicCalls)
  return new Map(names.map((name) => [name, { call: "command", spec }]))
}

// oxlint-disable-next-line eslint/max-params -- one parameter for each lower layer
export function createTopics<User extends AuthenticatedUser>(
  contract: Contract,
  base: Base,
  { handlers, limiter }: Calls<User>,
  { registry, fanOut, compact }: Pick<Sessions<User>, "registry" | "fanOut" | "compact">,
): TopicService<User> {
  const { clock, counters, events, limits, timers, codec, onError } = base
  const kinds = new TopicKinds<User>(contract, base.onWarning)
  const log = new MemoryTopicLog<HubPublication<ServerSession<User>>>({
    historyOf: (topic) => kinds.historyOf(topic),
    timers,
    nowMs: () => clock.now(),
    epoch: randomBytes(6).toString("base64url"),
    historyMaxBytes: limits.topicHistoryMaxBytes,
    idleTopicsMax: limits.idleTopicsMax,
  })
  const hub = new Hub<ServerSession<User>>(log)
  const index = new MembershipIndex<User>(limits)
  const board = new PresenceBoard<User>({ fanOut, timers, counters, limits, onError })
  const firstMember = randomBytes(5).readUIntBE(0, 5)
  const shared = { kinds, index, hub, clock, limits, counters }
  const joining = { log, board, compact, fanOut, timers, firstMember, onError }
  const memberships = new TopicMemberships<User>({ ...shared, ...joining })
  const unsubscribe = (topic: string, session: ServerSession<User>): void =>
    memberships.unsubscribe(topic, session)
  const sending = { events, counters, compact, registry, hub, log, fanOut, unsubscribe }
  const publisher = new Publisher<User>({ ...sending, contractName: contract.name })
  const handling = { memberships, publisher, registry, events, codec, limiter }
  const requests = new TopicRequests<User>({ ...shared, ...handling })
  for (const [name, handler] of requests.handlers())
    if (handlers.knows(name)) handlers.set("command", name, handler)
  return {
    publisher,
    kinds,
    onAttachment: (session) => memberships.onAttachment(session),
    onRenewed: (session) => memberships.onRenewed(session),
    onEnded: (session) => memberships.onEnded(session),
    onFrozen: (session) => memberships.onFrozen(session),
    onThawed: (session, records) => memberships.onThawed(session, records),
    stop() {
      memberships.stop()
      log.stop()
      board.stop()
    },
    get counts() {
      return { topics: hub.size, members: index.size, historyBytes: log.historyBytes }
    },
  }
}
