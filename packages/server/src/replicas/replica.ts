// The application's access to a replica: its records, and the views of sessions. Must not know cells and frames.
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { SessionRegistry } from "../session/life/session-registry.ts"
import type { Session } from "../base/session.ts"
import type { Replicas, View, Viewpoint } from "./replicas.ts"
import type { Values } from "./replica-cell.ts"

/**
 * A replica's records by id, in this process: a server in another process has its own. The changes of a tick (`replicaTickMs`)
 * are sent together; unchanged cells are not sent.
 */
export interface Replica<Record extends object, S> {
  /** Name in the contract. */
  readonly name: string
  /** Number of records. */
  readonly size: number
  /** Returns true if the replica has a record with this id. */
  has(id: string): boolean
  /**
   * Returns the record as viewers receive it: numbers are rounded to the step of their field. The object is frozen, and the same
   * one until the record changes.
   */
  get(id: string): Readonly<Record> | undefined
  /** Iterates the ids of the records. */
  ids(): IterableIterator<string>
  /** Iterates the records, as `get` returns them. */
  values(): IterableIterator<Readonly<Record>>
  /** Iterates ids and records, as a Map does. */
  entries(): IterableIterator<[id: string, record: Readonly<Record>]>
  /** The same as `entries`. */
  [Symbol.iterator](): IterableIterator<[id: string, record: Readonly<Record>]>
  /**
   * Adds a record, or replaces all of its fields. @throws RangeError that names the field for an invalid value; TypeError for an
   * id that is not a string, as `patch`, `remove` and `view` do.
   */
  set(id: string, fields: Record): void
  /** Replaces some fields of a record. @throws RangeError as `set`, and for an unknown id. */
  patch(id: string, fields: Partial<Record>): void
  /** Removes a record. Returns false if there was none. */
  remove(id: string): boolean
  /**
   * Opens a view of the replica for a session, from the next tick on. Its area of interest is around a position, around a record
   * that it follows, a whole replica without an area, or one record of a replica with `visibleTo: "owner"`. A cell in several views of a session is sent once.
   * No effect for a session that has ended.
   * @throws RangeError for an invalid position. @throws TypeError for a session of another server, and without a viewpoint if the
   * replica has an area, and without `{ only: id }` if it is visible to owners.
   */
  view(session: S, viewpoint?: Viewpoint): View
}

/** A view that was not opened. */
export const noView: View = { moveTo() {}, close() {} }

/** Returns a function that returns the same replica object for the same name, because games call it in every tick. */
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
  const open = replicas.of(name)
  const { store } = open
  return {
    name,
    get size() {
      return store.size
    },
    has: (id) => store.has(id),
    get: (id) => store.get(id),
    ids: () => store.ids(),
    values: () => store.values(),
    entries: () => store.entries(),
    [Symbol.iterator]: () => store.entries(),
    set(id, fields) {
      store.set(id, fields)
      if (store.isDirty) replicas.changed(store)
    },
    patch(id, fields) {
      store.patch(id, fields)
      if (store.isDirty) replicas.changed(store)
    },
    remove(id) {
      const removed = store.remove(id)
      if (removed) replicas.changed(store)
      return removed
    },
    view(session, viewpoint) {
      const own = registry.own(session, "open a view for")
      return own === undefined ? noView : replicas.view(open, own, viewpoint)
    },
  }
}
