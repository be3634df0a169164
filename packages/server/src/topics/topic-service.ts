// Puts the parts of a server's topics together.
import { topicCalls } from "@hawser/protocol/core"
import type { Clock, Contract, EventSpec, ServerLimits } from "@hawser/protocol"
import type { CallEntry, Codec, RateLimiter, TimerQueue } from "@hawser/protocol/core"
import { randomBytes } from "node:crypto"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { AnyHandler } from "../calls/call-router.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Session } from "../base/session.ts"
import type { ServerWarning } from "../base/server-warning.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import { Hub } from "./hub.ts"
import { PresenceBoard, ownEvent } from "./presence-board.ts"
import type { Encoders } from "../session/conversation/publication.ts"
import { Publisher } from "./publisher.ts"
import { TopicDesk } from "./topic-desk.ts"
import { TopicKinds } from "./topic-kinds.ts"
import { TopicRequests } from "./topic-requests.ts"
import { TopicSeats } from "./topic-seats.ts"

export interface TopicServiceOptions<User extends AuthenticatedUser> {
  readonly contract: Contract
  readonly events: ReadonlyMap<string, EventSpec>
  readonly encoders: Encoders
  readonly codecs: { readonly "hawser.1": Codec }
  readonly registry: SessionRegistry<User>
  readonly fanOut: FanOut
  readonly limiter: RateLimiter
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly counters: ServerCounters
  readonly onWarning: (warning: ServerWarning) => void
  readonly onError: (error: unknown) => void
}

export interface TopicService<User extends AuthenticatedUser> {
  readonly publisher: Publisher<User>
  readonly kinds: TopicKinds<User>
  readonly handlers: ReadonlyMap<string, AnyHandler<Session<User>>>
  onAttachment(session: ServerSession<User>): void
  onRenewed(session: ServerSession<User>): void
  onEnded(session: ServerSession<User>): void
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

export function createTopics<User extends AuthenticatedUser>(
  options: TopicServiceOptions<User>,
): TopicService<User> {
  const { contract, clock, counters, encoders, events, fanOut, limits, registry, timers } = options
  const kinds = new TopicKinds<User>(contract, options.onWarning)
  const hub = new Hub<ServerSession<User>>({
    historyOf: (topic) => kinds.historyOf(topic),
    timers,
    nowMs: () => clock.now(),
    epoch: randomBytes(6).toString("base64url"),
    historyMaxBytes: limits.topicHistoryMaxBytes,
    idleTopicsMax: limits.idleTopicsMax,
  })
  const seats = new TopicSeats<User>(limits)
  const board = new PresenceBoard<User>({
    encoders,
    fanOut,
    timers,
    counters,
    limits,
    onError: options.onError,
  })
  const firstMember = randomBytes(5).readUIntBE(0, 5)
  const desk = new TopicDesk<User>({ ...options, hub, seats, board, kinds, firstMember })
  const unsubscribe = (topic: string, session: ServerSession<User>): void => desk.unsubscribe(topic, session)
  const publisher = new Publisher<User>({
    contractName: contract.name,
    events,
    encoders,
    registry,
    hub,
    fanOut,
    unsubscribe,
  })
  const requests = new TopicRequests<User>({ ...options, kinds, desk, seats, hub, publisher })
  return {
    publisher,
    kinds,
    handlers: requests.handlers(),
    onAttachment: (session) => desk.onAttachment(session),
    onRenewed: (session) => desk.onRenewed(session),
    onEnded: (session) => desk.onEnded(session),
    stop() {
      hub.stop()
      board.stop()
    },
    get counts() {
      return { topics: hub.size, members: seats.size, historyBytes: hub.historyBytes }
    },
  }
}
