// Handlers of the four topic requests: `$join`, `$leave`, `$publish` and `$presence`. Validates their input, checks the
// application's permission and the rate limit, then calls `TopicMemberships` or `Publisher`. Must not know histories.
import { HawserError, plain } from "@hawser/protocol"
import {
  UnsendableError,
  describeIssues,
  errorWithCode,
  outgoingPayload,
  presenceDepth,
  quoted,
  topicRequests,
  topicKindOf,
  validateNow,
} from "@hawser/protocol/core"
import type { Author, Encoded, Schema, TopicSpec } from "@hawser/protocol"
import type {
  JoinReply,
  JoinRequest,
  LeaveRequest,
  PresenceRequest,
  PublishReply,
  PublishRequest,
  TopicCall,
} from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { AnyHandler, HandlerContext } from "../calls/call-router.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Session } from "../base/session.ts"
import type { Publisher } from "./publisher.ts"
import type { TopicMemberships } from "./topic-memberships.ts"
import { memberOf, permit } from "./topic-kinds.ts"
import type { TopicParts } from "./topic-parts.ts"

type Context<User extends AuthenticatedUser> = HandlerContext<unknown, Session<User>>

/** A join whose input is valid. */
interface Joining<User extends AuthenticatedUser> {
  readonly input: JoinRequest
  readonly session: ServerSession<User>
  readonly context: Context<User>
  readonly state: Encoded<unknown> | undefined
}

/** A publication whose payload is valid. */
interface Publishing<User extends AuthenticatedUser> {
  readonly input: PublishRequest
  readonly session: ServerSession<User>
  readonly context: Context<User>
  payload: unknown
  /** True if a rule may have waited: the request may be cancelled or too late since. */
  mayBeLate: boolean
  isAdmitted: boolean
}

export class TopicRequests<User extends AuthenticatedUser> {
  readonly #parts: TopicParts<User>
  readonly #memberships: TopicMemberships<User>
  readonly #publisher: Publisher<User>

  constructor(parts: TopicParts<User>, memberships: TopicMemberships<User>, publisher: Publisher<User>) {
    this.#parts = parts
    this.#memberships = memberships
    this.#publisher = publisher
  }

  /** Returns the handlers by the names of their requests. */
  handlers(): ReadonlyMap<TopicCall, AnyHandler<Session<User>>> {
    const { $join, $leave, $publish, $presence } = topicRequests
    return new Map<TopicCall, AnyHandler<Session<User>>>([
      ["$join", (context) => this.#join(inputOf($join, context), context)],
      ["$leave", (context) => this.#leave(inputOf($leave, context), context)],
      ["$publish", (context) => this.#publish(inputOf($publish, context), context)],
      ["$presence", (context) => this.#setState(inputOf($presence, context), context)],
    ])
  }

  async #join(input: JoinRequest, context: Context<User>): Promise<JoinReply> {
    const { kinds, counters, middleware } = this.#parts
    const session = this.#served(context.session)
    const { topic } = input
    try {
      const { spec } = kinds.of(topic)
      kinds.joining(topic)
      const state = this.#checkedState(spec, input)
      const joining = { input, session, context, state }
      if (!middleware.isUsed) return await this.#joinValid(joining)
      const call = {
        kind: "join",
        name: topicKindOf(topic) ?? "",
        input: { topic, state: plain(state) },
      } as const
      return await middleware.topic({ ...call, source: context }, () => this.#joinValid(joining))
    } catch (error) {
      counters.topicJoinsRefused += 1
      throw error
    }
  }

  async #joinValid({ input, session, context, state }: Joining<User>): Promise<JoinReply> {
    const { topic } = input
    const { rules } = this.#parts.kinds.of(topic)
    await permit(`join "${topic}"`, rules.canJoin?.({ topic, session }))
    context.signal.throwIfAborted()
    assertActive(session)
    return this.#memberships.join(session, { ...input, state })
  }

  #leave(input: LeaveRequest, { session }: Context<User>): null {
    this.#memberships.leave(this.#served(session), input.topic)
    return null
  }

  async #publish(input: PublishRequest, context: Context<User>): Promise<PublishReply> {
    const { counters, middleware } = this.#parts
    const session = this.#served(context.session)
    const { topic, event } = input
    const publishing: Publishing<User> = {
      input,
      session,
      context,
      payload: undefined,
      mayBeLate: false,
      isAdmitted: false,
    }
    try {
      publishing.payload = this.#validPayload(input)
      if (!middleware.isUsed) return await this.#publishValid(publishing)
      const call = { kind: "publish", name: event, input: { topic, payload: publishing.payload } } as const
      return await middleware.topic({ ...call, source: context }, () => this.#publishValid(publishing))
    } catch (error) {
      if (!publishing.isAdmitted) counters.topicPublishesRefused += 1
      throw error
    }
  }

  async #publishValid(publishing: Publishing<User>): Promise<PublishReply> {
    const { counters, hub } = this.#parts
    const { input, session } = publishing
    const { topic, event } = input
    const except = input.echo ? undefined : session
    const wasMember = hub.members(topic).has(session)
    const { payload, isReplaced } = await this.#permitted(publishing)
    assertActive(session)
    // Its caller has an answer already, and later publications may have overtaken it.
    if (publishing.mayBeLate) publishing.context.signal.throwIfAborted()
    // The application may have removed the member meanwhile.
    if (wasMember && !hub.members(topic).has(session)) throw noLongerMember(topic)
    const admit = <T>(encode: () => T): T => {
      const encoded = isReplaced ? encode() : ofTheCaller(encode)
      this.#charge(session, input)
      publishing.isAdmitted = true
      return encoded
    }
    const author = this.#authorOf(session, topic)
    const offset = this.#publisher.toTopic(topic, { event, payload, except, author, admit })
    counters.topicPublishes += 1
    return { offset: offset ?? null }
  }

  /**
   * Asks the rules of the topic. Returns the payload to publish. `isReplaced`: the application chose it, so an error of its
   * encoding is not the client's.
   */
  async #permitted(
    publishing: Publishing<User>,
  ): Promise<{ readonly payload: unknown; readonly isReplaced: boolean }> {
    const { kinds, events, hub, index } = this.#parts
    const { input, session, payload } = publishing
    const { topic, event } = input
    const { rules } = kinds.of(topic)
    const asked = { topic, session, event, payload, isMember: hub.members(topic).has(session) }
    const permission = rules.canPublish?.(asked)
    publishing.mayBeLate ||= permission instanceof Promise
    await permit(`publish to "${topic}"${asked.isMember ? "" : ", which it has not joined"}`, permission)
    const spec = events.get(event)
    if (rules.onPublish === undefined || spec === undefined) return { payload, isReplaced: false }
    assertActive(session)
    const membership = index.get(topic, session)
    const member = membership && memberOf(membership)
    const answer = rules.onPublish({ ...asked, isMember: hub.members(topic).has(session), member })
    publishing.mayBeLate ||= answer instanceof Promise
    const replacement = await answer
    if (replacement === undefined) return { payload, isReplaced: false }
    return { payload: outgoingPayload(event, spec, replacement), isReplaced: true }
  }

  #authorOf(session: ServerSession<User>, topic: string): Author {
    const membership = this.#parts.index.get(topic, session)
    const user = session.user.id
    return membership === undefined ? { user } : { user, member: membership.id }
  }

  #setState(input: PresenceRequest, { session }: Context<User>): null {
    const { kinds, index } = this.#parts
    this.#served(session)
    const state = this.#checkedState(kinds.of(input.topic).spec, input)
    const membership = index.get(input.topic, session)
    if (membership === undefined)
      throw new HawserError("forbidden", {
        message: `cannot set the presence state: the session has not joined "${input.topic}"`,
      })
    this.#memberships.setState(membership, state)
    return null
  }

  /** Returns the validated payload. @throws HawserError `invalid_input` */
  #validPayload({ topic, event, payload }: PublishRequest): unknown {
    const { kinds, events } = this.#parts
    const { spec } = kinds.of(topic)
    const eventSpec = spec.events.includes(event) ? events.get(event) : undefined
    if (eventSpec === undefined) {
      const message = `the event ${quoted(event)} is not declared for the topic "${topic}"`
      throw new HawserError("invalid_input", { message })
    }
    return accepted(eventSpec.payload, payload, `payload of "${event}"`)
  }

  /** Encodes the state and checks it against the limits of the EVENTs that will contain it. @throws HawserError `invalid_input` */
  #checkedState(spec: TopicSpec, { topic, state }: PresenceRequest): Encoded<unknown> | undefined {
    const { codec, limits } = this.#parts
    if (spec.presence === undefined) {
      if (state === undefined) return undefined
      throw new HawserError("invalid_input", {
        message: `cannot set a state: the contract declares no presence for the topic "${topic}"`,
      })
    }
    const validated = accepted(spec.presence, state, `state in "${topic}"`)
    if (validated === undefined) return undefined
    const held = ofTheCaller(() => codec.hold(validated, presenceDepth))
    const bytes = held.size ?? 0
    if (bytes <= limits.presenceStateMaxBytes) return held
    const message = `the state in "${topic}" has ${bytes} bytes; at most ${limits.presenceStateMaxBytes} are allowed (limits.presenceStateMaxBytes)`
    throw new HawserError("invalid_input", { message })
  }

  /**
   * Takes one permit per recipient, at `userDeliveriesPerSecond`. A user with a full bucket (`userDeliveryBurst`) may publish
   * to more recipients than the bucket holds; the excess is a debt. @throws HawserError `rate_limited`
   */
  #charge(session: ServerSession<User>, { topic, echo }: PublishRequest): void {
    const { hub, limiter, limits, clock } = this.#parts
    const members = hub.members(topic)
    const recipients = members.size - (!echo && members.has(session) ? 1 : 0)
    const key = `${session.user.id}\n$deliveries`
    const burst = limits.userDeliveryBurst
    const limit = { everyMs: 1_000 / limits.userDeliveriesPerSecond, burst }
    const nowMs = clock.now()
    const waitMs = limiter.take(key, limit, nowMs, Math.min(recipients, burst))
    if (waitMs > 0) {
      const message = `${recipients} recipients exceed the rate limit (limits.userDeliveriesPerSecond); try again in ${waitMs} ms`
      throw new HawserError("rate_limited", { message, retryAfterMs: waitMs })
    }
    if (recipients > burst) limiter.debit(key, limit, nowMs, recipients - burst)
  }

  /** @throws HawserError `not_available` for a client whose profile has no topics. */
  #served(session: Session<User>): ServerSession<User> {
    const own = this.#parts.registry.own(session, "serve")
    if (own === undefined) throw new HawserError("session_ended")
    own.dialect.assertServes("topics")
    return own
  }
}

/** Turns an UnsendableError that a client's input caused into a HawserError for that client. */
function ofTheCaller<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof UnsendableError)) throw error
    const { code, message, details } = error
    throw errorWithCode(code, { message, ...(details === undefined ? {} : { details }), cause: error })
  }
}

/** Called after an await: the session may have ended meanwhile. @throws HawserError `session_ended` */
function assertActive({ active }: { readonly active: boolean }): void {
  if (!active) throw new HawserError("session_ended")
}

function noLongerMember(topic: string): HawserError {
  const message = `the membership in "${topic}" ended before the publication was permitted`
  return new HawserError("forbidden", { message })
}

/** Validates the input of a request. @throws HawserError `invalid_input` */
function inputOf<Input>(schema: Schema<unknown, Input>, { input }: { readonly input: unknown }): Input {
  const checked = validateNow(schema, input, "a topic request")
  if (checked.ok) return checked.value
  throw new HawserError("invalid_input", { message: describeIssues(checked.issues) })
}

/** Validates a value. @throws HawserError `invalid_input` with the issues, after the name of the value. */
function accepted(schema: Schema, value: unknown, name: string): unknown {
  const validated = validateNow(schema, value, name)
  if (validated.ok) return validated.value
  const message = `${name}: ${describeIssues(validated.issues)}`
  throw new HawserError("invalid_input", { message, details: { issues: validated.issues } })
}
