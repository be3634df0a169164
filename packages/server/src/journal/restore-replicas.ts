// Restores durable replicas. Before anything is written, all records are read with the fields of the contract, or migrated to them:
// a journal whose records have no place refuses to start. Must not know files, cells and viewers.
import type { Contract, ReplicaSpec } from "@hawser/protocol"
import { ReplicaSchema, topicKindOf } from "@hawser/protocol/core"
import type { Values } from "../replicas/replica-cell.ts"
import type { ReplicaStore } from "../replicas/replica-store.ts"
import type { DurableReplicas } from "./durable-replicas.ts"
import type { Journal } from "./journal.ts"
import type { KeptRecord, KeptReplica, KeptState } from "./kept-state.ts"
import { writeReplicaEnded } from "./replica-operations.ts"

/**
 * Converts a record of a durable replica to the fields of the contract, or returns undefined to drop it. `oldFields` are the names
 * of the fields with which it was written. `"drop"` drops all records of a replica.
 */
export type Migration =
  | "drop"
  | ((
      oldFields: readonly string[],
      record: Readonly<Record<string, unknown>>,
      id: string,
    ) => Readonly<Record<string, unknown>> | undefined)

/** Migrations by the name of a replica; for one of a topic `kind.name`. */
export type Migrations = Readonly<Record<string, Migration>>

/** Replicas of this process, to which the records of a journal are restored. */
export interface ReplicaPlaces {
  readonly contract: Pick<Contract, "replicas" | "topics">
  readonly migrations: Migrations
  /** Returns the store of a replica, without records. */
  readonly storeOf: (topic: string | undefined, name: string) => ReplicaStore
}

interface Migrated {
  readonly id: string
  readonly values: Values
}

/** A replica with its place in the contract. */
interface ReadReplica {
  readonly number: number
  readonly kept: KeptReplica
  /** Undefined if no record is restored. */
  readonly store: ReplicaStore | undefined
  /** Records for the fields of the contract; undefined if the kept ones fit. */
  readonly migrated: readonly Migrated[] | undefined
}

/** Reads the replicas of a state. @throws Error for a replica that has no place in the contract, and for a failed migration. */
export function readReplicas(
  { replicas }: Pick<KeptState, "replicas">,
  { contract, migrations, storeOf }: ReplicaPlaces,
): readonly ReadReplica[] {
  const given = new Map(Object.entries(migrations))
  return [...replicas].map(([number, kept]) => {
    const place = placeOf(kept)
    const spec = specOf(kept, contract)
    const fits = spec?.durable === true && shapeOf(ReplicaSchema.of(spec.fields)) === shapeOf(kept.schema)
    const migration = given.get(place)
    const { topic, name } = kept
    if (fits && migration !== "drop")
      return { number, kept, store: storeOf(topic, name), migrated: undefined }
    if (kept.records.size === 0 || migration === "drop")
      return { number, kept, store: undefined, migrated: [] }
    if (spec?.durable !== true) throw new Error(homelessText(place, kept))
    if (migration === undefined) throw new Error(changedText(place, kept, spec))
    const store = storeOf(topic, name)
    return { number, kept, store, migrated: [...migratedOf(kept, store, migration)] }
  })
}

/** Puts the records into their stores. All changes by migrations are in one record of the journal. */
export function restoreReplicas(
  read: readonly ReadReplica[],
  { durable, journal }: { readonly durable: DurableReplicas; readonly journal: Pick<Journal, "note"> },
): number {
  let count = 0
  durable.continueAfter(Math.max(0, ...read.map(({ number }) => number)))
  for (const { number, kept, store, migrated } of read) {
    const { records } = kept
    count += migrated?.length ?? records.size
    if (migrated !== undefined) journal.note((writer) => writeReplicaEnded(writer, number))
    if (store === undefined) continue
    if (migrated !== undefined) for (const { id, values } of migrated) store.set(id, values)
    else {
      let lastRecord = 0
      for (const [record, { id, packed }] of records) {
        store.restore(record, id, packed)
        lastRecord = Math.max(lastRecord, record)
      }
      durable.continue(store, { number, lastRecord })
    }
  }
  return count
}

/** Yields the converted records. @throws RangeError for values that do not fit the contract. */
function* migratedOf(
  kept: KeptReplica,
  store: ReplicaStore,
  migrate: Exclude<Migration, "drop">,
): Generator<Migrated, void> {
  const names = kept.schema.fields.map(({ name }) => name)
  for (const record of kept.records.values()) {
    const values = migrate(names, valuesOf(kept, record), record.id)
    if (values === undefined) continue
    store.pack(record.id, values)
    yield { id: record.id, values }
  }
}

function valuesOf({ schema }: KeptReplica, { packed }: KeptRecord): Values {
  return Object.fromEntries(
    schema.fields.map(({ name, field }, place) => [name, field.unpack(packed[place])]),
  )
}

function specOf(
  { topic, name }: KeptReplica,
  { replicas, topics }: Pick<Contract, "replicas" | "topics">,
): ReplicaSpec | undefined {
  const specs = topic === undefined ? replicas : topics[topicKindOf(topic) ?? ""]?.replicas
  return specs !== undefined && Object.hasOwn(specs, name) ? specs[name] : undefined
}

/** Name of a replica in `migrate`. */
function placeOf({ topic, name }: KeptReplica): string {
  return topic === undefined ? name : `${topicKindOf(topic)}.${name}`
}

function shapeOf({ shape }: ReplicaSchema): string {
  return JSON.stringify(shape)
}

function homelessText(place: string, { records }: KeptReplica): string {
  return (
    `the journal holds ${records.size} records of the replica "${place}", which the contract does not declare durable: ` +
    `declare it, or drop them by the option migrate: { "${place}": "drop" }`
  )
}

function changedText(place: string, { records, schema }: KeptReplica, spec: ReplicaSpec): string {
  return (
    `the journal holds ${records.size} records of the replica "${place}" with the fields ${shapeOf(schema)}, and the contract has ` +
    `${shapeOf(ReplicaSchema.of(spec.fields))}: convert them by the option migrate: { "${place}": (oldFields, record) => … }`
  )
}
