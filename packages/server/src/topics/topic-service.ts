// Puts the parts of a server's topics together.
import { topicCalls } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { CallEntry } from "@hawser/protocol/core"
import { randomBytes } from "node:crypto"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Calls } from "../calls/create-calls.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { SeatRecord } from "../session/life/session-record.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import { Hub } from "./hub.ts"
import type { HubPublication } from "./hub.ts"
import { MemoryTopicLog } from "./memory-topic-log.ts"
import { PresenceBoard, ownEvent } from "./presence-board.ts"
import { Publisher } from "./publisher.ts"
import { TopicDesk } from "./topic-desk.ts"
import { TopicKinds } from "./topic-kinds.ts"
import { TopicRequests } from "./topic-requests.ts"
import { TopicSeats } from "./topic-seats.ts"

export interface TopicService<User extends AuthenticatedUser> {
  readonly publisher: Publisher<User>
  readonly kinds: TopicKinds<User>
  onAttachment(session: ServerSession<User>): void
  onRenewed(session: ServerSession<User>): void
  onEnded(session: ServerSession<User>): void
  onFrozen(session: ServerSession<User>): readonly SeatRecord[]
  onThawed(session: ServerSession<User>, records: readonly SeatRecord[]): void
  stop(): void
  /** Topics that anybody is in, sessions that joined by themselves, and bytes of all histories. */
  readonly counts: { readonly topics: number; readonly members: number; readonly historyBytes: number }
}

/** The requests of a contract with topics, beside its own; a contract without any has none. */
export function topicEntries({ topics }: Pick<Contract, "topics">): ReadonlyMap<string, CallEntry> {
  // Their handlers check them; what is wrong then has the code of a wrong input all the same.
  const spec = { input: ownEvent.payload, output: ownEvent.payload }
  const names = Object.keys(topics).length === 0 ? [] : Object.keys(topicCalls)
  return new Map(names.map((name) => [name, { call: "command", spec }]))
}

// oxlint-disable-next-line eslint/max-params -- one parameter for each layer below
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
  const seats = new TopicSeats<User>(limits)
  const board = new PresenceBoard<User>({ fanOut, timers, counters, limits, onError })
  const firstMember = randomBytes(5).readUIntBE(0, 5)
  const shared = { kinds, seats, hub, clock, limits, counters }
  const desk = new TopicDesk<User>({ ...shared, log, board, compact, fanOut, timers, firstMember, onError })
  const unsubscribe = (topic: string, session: ServerSession<User>): void => desk.unsubscribe(topic, session)
  const sending = { events, counters, compact, registry, hub, log, fanOut, unsubscribe }
  const publisher = new Publisher<User>({ ...sending, contractName: contract.name })
  const requests = new TopicRequests<User>({ ...shared, desk, publisher, registry, events, codec, limiter })
  for (const [name, handler] of requests.handlers())
    if (handlers.knows(name)) handlers.set("command", name, handler)
  return {
    publisher,
    kinds,
    onAttachment: (session) => desk.onAttachment(session),
    onRenewed: (session) => desk.onRenewed(session),
    onEnded: (session) => desk.onEnded(session),
    onFrozen: (session) => desk.onFrozen(session),
    onThawed: (session, records) => desk.onThawed(session, records),
    stop() {
      desk.stop()
      log.stop()
      board.stop()
    },
    get counts() {
      return { topics: hub.size, members: seats.size, historyBytes: log.historyBytes }
    },
  }
}
