// Mistakes in topics: their hooks, authors, typed names, local parts, and iterations that begin with a join.
import type { Edit, Mutant } from "./mutant.ts"

const requests = "packages/server/src/topics/topic-requests.ts"
const memberships = "packages/server/src/topics/topic-memberships.ts"
const publisher = "packages/server/src/topics/publisher.ts"
const registry = "packages/server/src/session/life/session-registry.ts"
const topic = "packages/client/src/topics/topic.ts"

const hooks = { tests: ["tests/topics/hooks.test.ts"], because: "its topics have no hooks" } as const
const authors = { tests: ["tests/topics/authors.test.ts"], because: "it reads no author" } as const
const local = { tests: ["tests/topics/topics.test.ts"], because: "it has one server" } as const
const iterations = { tests: ["tests/topics/iteration.test.ts"], because: "it iterates no topic" } as const

/** A mistake in one place. */
const edit = (file: string, find: string, replace: string): readonly Edit[] => [{ file, find, replace }]

export const topicMutants: readonly Mutant[] = [
  {
    name: "The replacement of onPublish is ignored",
    breaks: ["J15"],
    edits: edit(requests, "if (replacement === undefined) return", "if (replacement !== null) return"),
    killedBy: hooks,
  },
  {
    name: "The replacement of onPublish is not validated",
    breaks: ["J15"],
    edits: edit(requests, "payload: outgoingPayload(event, spec, replacement),", "payload: replacement,"),
    killedBy: hooks,
  },
  {
    name: "onPublish runs beside later publications",
    breaks: ["J15"],
    edits: edit(requests, "const replacement = await answer", "const replacement = void answer"),
    killedBy: hooks,
  },
  {
    name: "onJoin runs again for a member that joins again",
    breaks: ["J15"],
    edits: edit(
      memberships,
      "      this.setState(known, request.state)\n",
      "      this.setState(known, request.state)\n      this.#onJoin(known)\n",
    ),
    killedBy: hooks,
  },
  {
    name: "onJoin precedes the missed publications",
    breaks: ["J15"],
    edits: edit(
      memberships,
      "if (membership !== undefined) fanOut.defer(() => this.#onJoin(membership))",
      "if (membership !== undefined) this.#onJoin(membership)",
    ),
    killedBy: hooks,
  },
  {
    name: "onJoin runs again after a resume",
    breaks: ["J15"],
    edits: edit(
      memberships,
      "if (session.attached) this.#checkAgain(membership)",
      "if (session.attached) this.#onJoin(membership)",
    ),
    killedBy: hooks,
  },
  {
    name: "onLeave reports a removed member as one that left",
    breaks: ["J15"],
    edits: edit(memberships, 'this.#onLeave(membership, "removed")', 'this.#onLeave(membership, "left")'),
    killedBy: hooks,
  },
  {
    name: "onLeave is not called at the end of a session",
    breaks: ["J15"],
    edits: edit(
      memberships,
      'for (const membership of memberships) this.#onLeave(membership, "ended")',
      "void this.#onLeave",
    ),
    killedBy: hooks,
  },
  {
    name: "onLeave is not called for $leave",
    breaks: ["J15"],
    edits: edit(memberships, '    this.#onLeave(membership, "left")\n', ""),
    killedBy: hooks,
  },
  {
    name: "A publication of a client has no author",
    breaks: ["W17"],
    edits: edit(requests, "const author = this.#authorOf(session, topic)", "const author = undefined"),
    killedBy: authors,
  },
  {
    name: "An author has no member, although its session had joined",
    breaks: ["W17"],
    edits: edit(
      requests,
      "return membership === undefined ? { user } : { user, member: membership.id }",
      "return membership === undefined ? { user } : { user }",
    ),
    killedBy: authors,
  },
  {
    name: "A publication of the server names the first user as its author",
    breaks: ["W17"],
    edits: edit(publisher, "          author: undefined,\n", '          author: { user: "server" },\n'),
    killedBy: authors,
  },
  {
    name: "A server publishes events that the topic's kind lacks",
    breaks: [],
    edits: edit(
      publisher,
      'if (!events.includes(event)) throw unknownName(`the topic "${name}" has no event`, event, events)',
      "if (!events.includes(event)) void name",
    ),
    killedBy: {
      tests: ["tests/topics/usage-errors.test.ts", "tests/topics/local.test.ts"],
      because: "it publishes declared events",
    },
  },
  {
    name: "A session of another server is skipped",
    breaks: [],
    edits: edit(
      registry,
      "if (!session.active) return undefined",
      "if (session.id !== undefined) return undefined",
    ),
    killedBy: local,
  },
  {
    name: "A session that has ended is an error where it is passed",
    breaks: [],
    edits: edit(registry, "    if (!session.active) return undefined\n", ""),
    killedBy: local,
  },
  {
    name: "An iteration right after a join begins without the history",
    breaks: ["J14"],
    edits: edit(topic, "for (const item of this.#backlog ?? []) reader.push(item)", "void this.#backlog"),
    killedBy: iterations,
  },
  {
    name: "An iteration that begins later yields the history again",
    breaks: ["J14"],
    edits: edit(topic, "if (this.#backlog === backlog) this.#backlog = undefined", "void backlog"),
    killedBy: iterations,
  },
]
