// Public types of a replica at the client.
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Store } from "../base/store.ts"

/** Values of a record, by field. */
export type Values = Readonly<Record<string, unknown>>

/** Events of a record, by kind. */
export interface ReplicaEvents<R extends object = Values> {
  /** The record entered the area of interest, or was created. */
  readonly enter: {
    /** Kind of the event. */
    readonly kind: "enter"
    /** Id of the record. */
    readonly id: string
    /** Values of the record. */
    readonly record: R
  }
  /** Fields of the record changed. */
  readonly change: {
    /** Kind of the event. */
    readonly kind: "change"
    /** Id of the record. */
    readonly id: string
    /** Current values of the record. */
    readonly record: R
    /** Previous values of the record. */
    readonly before: R
  }
  /** The record left the area of interest, or was deleted. */
  readonly leave: {
    /** Kind of the event. */
    readonly kind: "leave"
    /** Id of the record. */
    readonly id: string
    /** Last values of the record. */
    readonly record: R
  }
}

/** Event of a record. */
export type ReplicaEvent<R extends object = Values> = ReplicaEvents<R>[keyof ReplicaEvents<R>]

/** Events of one update of the server. */
export interface ReplicaUpdate<R extends object = Values> {
  /** Events of the update, each record once; empty if a fresh update changed nothing, or only `stale` changed. */
  readonly events: readonly ReplicaEvent<R>[]
}

/** Change of a copy: it has become outdated, or is up to date again. */
export type ReplicaFreshness =
  | {
      /** Kind of the change: the connection was lost, and the copy may be outdated. */
      readonly kind: "stale"
      /** Time of the last message of the lost connection, in milliseconds since 1970: the copy is as of then. */
      readonly heardAtMs: number
    }
  | {
      /** Kind of the change: an update on the new connection made the copy current. */
      readonly kind: "fresh"
    }

/** The records of a replica at one moment. */
export interface ReplicaSnapshot<R extends object = Values> {
  /** Records by id. The same map until a record changes, and the same object for a record that has not changed. */
  readonly records: ReadonlyMap<string, R>
  /** True while the copy may be outdated. */
  readonly stale: boolean
  /**
   * Time of the last message of the lost connection, in milliseconds since 1970: the copy is as of then. Undefined unless
   * stale, and before the first connection.
   */
  readonly heardAtMs: number | undefined
}

/**
 * The client's copy of a replica: the records in the area of interest, by id. Readable at any time; `stale` is true while it
 * may be outdated. Records are never changed in place: a changed record is another object. The copy is a store.
 */
export interface ReplicaCopy<R extends object = Values> extends Store<ReplicaSnapshot<R>> {
  /** Name of the replica in the contract. */
  readonly name: string
  /** Number of records. */
  readonly size: number
  /** True without a connection, and until the first update of a new one. In a topic also until the first update after `join`. */
  readonly stale: boolean
  /**
   * Time since the last message of the lost connection, since the end of the membership in its topic, or since the copy was made,
   * in milliseconds; 0 unless stale.
   */
  readonly ageMs: number
  /** Returns true for a record in the copy. */
  has(id: string): boolean
  /** Returns the record with this id; undefined if there is none. */
  get(id: string): R | undefined
  /** Iterates the ids of the records. */
  ids(): IterableIterator<string>
  /** Iterates the records. */
  values(): IterableIterator<R>
  /** Iterates ids and records. */
  entries(): IterableIterator<[string, R]>
  /** Iterates ids and records. */
  [Symbol.iterator](): IterableIterator<[string, R]>
  /**
   * Calls `listener` for each record that enters, changes or leaves. Returns the unsubscribe function.
   * @throws TypeError for another event.
   */
  on<K extends keyof ReplicaEvents<R>>(
    kind: K,
    listener: (event: ReplicaEvents<R>[K]) => unknown,
    options?: ListenOptions,
  ): Unsubscribe
  /** Calls `listener` when `stale` changes. Returns the unsubscribe function. */
  onStale(listener: (change: ReplicaFreshness) => unknown, options?: ListenOptions): Unsubscribe
  /**
   * Calls `listener` once for each update, with all its events, and when `stale` changes. Returns the unsubscribe function.
   * The method works without its object.
   */
  readonly subscribe: (
    listener: (update: ReplicaUpdate<R>) => unknown,
    options?: ListenOptions,
  ) => Unsubscribe
  /** Returns a store of one record: its values, or undefined while it is not in the copy. It changes with this record only. */
  record(id: string): Store<R | undefined>
}
