// Composes one server of its layers, lowest first, and returns their parts as the public `Server`.
import { indexCalls } from "@hawser/protocol/core"
import type { Contract, Trusted } from "@hawser/protocol"
import type { AuthenticatedUser } from "./base/authenticate.ts"
import { createBase } from "./base/create-base.ts"
import type { Base } from "./base/create-base.ts"
import type { Session } from "./base/session.ts"
import { createCalls } from "./calls/create-calls.ts"
import type { Handling } from "./calls/handler-table.ts"
import { testable } from "./calls/test-parts.ts"
import { createServerJournal } from "./journal/server-journal.ts"
import type { ServerJournal } from "./journal/server-journal.ts"
import { readStats } from "./metrics/read-stats.ts"
import { createReplicaLookup } from "./replicas/replica.ts"
import { Replicas } from "./replicas/replicas.ts"
import type { Server, ServerOptions } from "./server-api.ts"
import {
  assertCloseOptions,
  assertDrainOptions,
  assertEndSessionsOptions,
  assertServerArguments,
} from "./server-checks.ts"
import { createSessions } from "./session/create-sessions.ts"
import { plainUser } from "./session/life/session-record.ts"
import { drain } from "./session/life/drain.ts"
import { shutDown } from "./session/life/shut-down.ts"
import type { CloseOptions } from "./session/life/shut-down.ts"
import { createTopics, topicEntries } from "./topics/topic-service.ts"
import { createEntrances } from "./transport/entrances.ts"
import { checkedPath } from "./transport/socket-path.ts"
import { acceptInTurn } from "./transport/turn-connection.ts"
import { UpgradeWarnings } from "./transport/upgrade-warnings.ts"

type User = AuthenticatedUser
type Options = ServerOptions<Contract, User, boolean>
type AnyHandling = Handling<Session<User>>

/**
 * Creates a server for a contract. It accepts connections after `listen` or `attach`, or through `accept`.
 * @throws RangeError for an invalid limit, and for a `resumeKey` below 32 bytes. @throws TypeError for a first argument that is no
 * contract, a missing `authenticate`, an unknown option or limit, an option of the wrong type, an invalid origin or `path`, and
 * for a replica whose fields cannot be encoded.
 */
export function createServer<C extends Contract, U extends AuthenticatedUser, Trust extends boolean = false>(
  contract: C,
  options: ServerOptions<C, U, Trust>,
): Server<[Trust] extends [true] ? Trusted<C> : C, U>
export function createServer(contract: Contract, options: Options): Server<Contract, User> {
  assertServerArguments(contract, options)
  const layers = compose(options.trustOutput === true ? trusted(contract) : contract, options)
  const { base, calls, entries, sessions } = layers
  return testable(publicServer(layers), { base, calls, entries, dialect: sessions.compact })
}

/** Returns the contract with `trustOutput` for everything that its server sends. */
function trusted(contract: Contract): Contract {
  const trust = <Spec extends object>(specs: Readonly<Record<string, Spec>>): Record<string, Spec> =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { ...spec, trustOutput: true }]))
  const { commands, queries, events, streams } = contract
  return {
    ...contract,
    commands: trust(commands),
    queries: trust(queries),
    events: trust(events),
    streams: trust(streams),
  }
}

/** The layers of one server. */
type Layers = ReturnType<typeof compose>

function compose(contract: Contract, options: Options) {
  const { allowLoopbackOrigins = false, trustProxy = false, origins } = options
  const path = checkedPath(options.path)
  const closing: { done?: Promise<void> } = {}
  const isClosing = (): boolean => closing.done !== undefined
  const contractCalls = indexCalls(contract)
  const entries = new Map([...contractCalls, ...topicEntries()])
  // Statistics of a contract without topics have no rows for the requests of topics.
  const hasTopics = Object.keys(contract.topics).length > 0
  const base = createBase(contract, (hasTopics ? entries : contractCalls).keys(), options)
  const kept = keptBy(options, base)
  const calls = createCalls<User>(contract.name, entries, { ...base, onOutcome: kept?.onOutcome })
  const warnings = new UpgradeWarnings({ path, trustProxy, clock: base.clock, onWarning: base.onWarning })
  const onAddressFull = (address: string): void => warnings.addressFull(address)
  const sessions = createSessions<User>(
    {
      ...options,
      userRecord: options.userRecord ?? plainUser,
      olderDialect: options.profile20,
      isClosing,
      onAddressFull,
      heldMs: () => entrances.turn.heldMs,
      ledger: kept?.journal,
      ...resumeKeyOf(options),
    },
    base,
    calls,
  )
  const replicas = new Replicas({ ...base, ledger: kept?.replicas })
  const topics = createTopics<User>({ base, calls, sessions, replicas, ledger: kept?.topics })
  sessions.observers.push(topics.memberships, replicas)
  const assertReady = (): void => {
    calls.handlers.assertComplete()
    topics.kinds.warnOfMissing()
    calls.handlers.middleware.seal()
  }
  const recover = async (): Promise<void> =>
    kept?.recover({ ...calls, ...sessions, replicas, topics, arm: () => entrances.turn.touch() })
  const rules = { path, origins, allowLoopbackOrigins, trustProxy, warnings, isClosing, assertReady }
  const entrances = createEntrances({ ...rules, kept, recover }, base, sessions)
  const lasting = { kept, recover, closing }
  return { ...lasting, base, calls, entries: contractCalls, sessions, topics, replicas, entrances }
}

function keptBy({ journal, migrate: migrations = {} }: Options, base: Base): ServerJournal | undefined {
  return journal && createServerJournal({ ...journal, migrations }, base)
}

/** Returns the key of the application, or the one in the journal's folder. */
function resumeKeyOf({ resumeKey, journal }: Options): Pick<Options, "resumeKey"> {
  return resumeKey !== undefined || journal === undefined ? {} : { resumeKey: journal.resumeKey }
}

async function end(layers: Layers, how: CloseOptions): Promise<void> {
  const { base, sessions, topics, replicas, entrances } = layers
  entrances.stopAccepting()
  await shutDown({ ...base, ...sessions, how, parks: layers.kept !== undefined })
  // The ends of layers below must not reach the next process.
  await layers.kept?.journal.close(true)
  sessions.liveness.stop()
  replicas.stop()
  topics.stop()
  await entrances.close()
}

function publicServer(layers: Layers): Server<Contract, User> {
  const { base, calls, sessions, topics, replicas, entrances, closing, kept } = layers
  const { handlers } = calls
  const { registry, connections, hooks, accept } = sessions
  const { publisher } = topics
  // Later calls return the first call's promise.
  const close = (how: CloseOptions = {}): Promise<void> => {
    assertCloseOptions(how)
    return (closing.done ??= end(layers, how))
  }
  const acceptOwn = acceptInTurn(accept, entrances.turn)
  return {
    use: (middleware) => handlers.use(middleware),
    command: (name: string, ...handling: AnyHandling) => handlers.set("command", name, ...handling),
    query: (name: string, ...handling: AnyHandling) => handlers.set("query", name, ...handling),
    stream: (name: string, ...handling: AnyHandling) => handlers.set("stream", name, ...handling),
    topic: (name) => publisher.topic(name),
    topicKind: (kind, rules) => topics.kinds.set(kind, rules),
    replica: createReplicaLookup(replicas, registry),
    atomic: (fn) => base.atomic.run(fn),
    flush: () => replicas.flush(),
    broadcast: (event, payload, but) => publisher.broadcast(event, payload, but),
    multicast: (recipients, event, payload) => publisher.multicast(recipients, event, payload),
    onSession: (hook) => hooks.opened.add(hook),
    onSessionRestored: (hook) => hooks.restored.add(hook),
    onSessionEnd: (hook) => hooks.ended.add(hook),
    onAttachment: (hook) => hooks.attachment.add(hook),
    onSuspicion: (hook) => hooks.suspicion.add(hook),
    local: {
      sessions: (userId) => [...(userId === undefined ? registry.all : registry.ofUser(userId))],
      topic: (name) => publisher.local(name),
    },
    listen: (where) => entrances.listen(where),
    recover: layers.recover,
    committed: async () => layers.kept?.journal.committed(),
    get recovery() {
      return layers.kept?.recovery
    },
    attach: (httpServer) => entrances.attach(httpServer),
    accept(accepted) {
      layers.kept?.assertRecovered()
      handlers.middleware.seal()
      return acceptOwn(accepted)
    },
    entrances,
    stats: () => readStats({ ...base, ...calls, ...sessions, topics, replicas, kept }),
    async endSessions(which) {
      assertEndSessionsOptions(which)
      const { user, code, message } = which
      for (const session of [...registry.ofUser(user)]) session.end(code, message)
    },
    async drain(how = {}) {
      assertDrainOptions(how)
      await drain({ ...base, connections }, how)
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}
