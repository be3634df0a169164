// What an application holds of a replica: its records, and who sees them.
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Session } from "../base/session.ts"
import type { Replicas, View, Viewpoint } from "./replicas.ts"
import type { Values } from "./replica-store.ts"

/** Records by id. What changes within a tick is told together; what has not changed is not sent. */
export interface Replica<Record extends object, S> {
  readonly name: string
  readonly size: number
  has(id: string): boolean
  /** As viewers see it: numbers are rounded to the steps of their field. */
  get(id: string): Readonly<Record> | undefined
  ids(): IterableIterator<string>
  /**
   * Adds a record or replaces all of its fields. @throws RangeError that names a field whose value it cannot have;
   * TypeError for an id that is no text, as `patch`, `remove` and `view` do.
   */
  set(id: string, fields: Record): void
  /** Replaces some fields. @throws RangeError also for an id that is not there. */
  patch(id: string, fields: Partial<Record>): void
  /** False when there was none. */
  remove(id: string): boolean
  /**
   * Shows the replica to a session from the next tick on: around a place, around a record wherever it goes, or all of a
   * replica without an area. A session may have several views; what they show together is sent once.
   * @throws RangeError for a place that is none.
   */
  view(session: S, viewpoint?: Viewpoint): View
}

/** The same object for the same name: games ask for it in every tick. */
export function createReplicaLookup<User extends AuthenticatedUser>(
  replicas: Replicas,
  registry: SessionRegistry<User>,
): (name: string) => Replica<Values, Session<User>> {
  const known = new Map<string, Replica<Values, Session<User>>>()
  return (name) => {
    const replica = known.get(name) ?? openReplica(replicas, name, registry)
    known.set(name, replica)
    return replica
  }
}

function openReplica<User extends AuthenticatedUser>(
  replicas: Replicas,
  name: string,
  registry: SessionRegistry<User>,
): Replica<Values, Session<User>> {
  const store = replicas.store(name)
  const all: ReadonlySet<Session<User>> = registry.all
  const isOpen = (session: Session<User>): session is ServerSession<User> => all.has(session)
  return {
    name,
    get size() {
      return store.size
    },
    has: (id) => store.has(id),
    get: (id) => store.get(id),
    ids: () => store.ids(),
    set(id, fields) {
      store.set(id, fields)
      if (store.isDirty) replicas.changed()
    },
    patch(id, fields) {
      store.patch(id, fields)
      if (store.isDirty) replicas.changed()
    },
    remove(id) {
      const removed = store.remove(id)
      if (removed) replicas.changed()
      return removed
    },
    view: (session, viewpoint) =>
      isOpen(session) ? replicas.view(name, session, viewpoint) : { moveTo() {}, close() {} },
  }
}
