// Hooks of replicas.
import { useMemo, useSyncExternalStore } from "react"
import type { Contract, ReplicaRecord, ReplicaSnapshot, Store } from "@hawser/client"
import type { CoreClient, ReplicaMethods } from "@hawser/client/core"
import type { ReplicaHooks } from "./hooks-api.ts"
import { Selection } from "./selection.ts"

type ReplicaClient = CoreClient<Contract> & ReplicaMethods<Contract>
type AnyRecord = ReplicaRecord<Contract, string>

const noRecords: ReplicaSnapshot<AnyRecord> = {
  records: new Map<string, AnyRecord>(),
  stale: true,
  heardAtMs: undefined,
}
const noRecord: Store<undefined> = { snapshot: () => undefined, subscribe: () => () => {} }
const itself = (record: AnyRecord): unknown => record

export function replicaHooks(useClient: () => ReplicaClient): ReplicaHooks<Contract> {
  function useRecord(name: string, id: string | null): AnyRecord | undefined
  function useRecord<S>(name: string, id: string | null, select: (record: AnyRecord) => S): S | undefined
  function useRecord(name: string, id: string | null, select = itself): unknown {
    const client = useClient()
    const [store, selection] = useMemo(() => {
      const record = id === null ? noRecord : client.replica(name).record(id)
      return [record, new Selection()] as const
    }, [client, name, id])
    const snapshot = (): unknown => selection.of(store.snapshot(), select)
    return useSyncExternalStore(store.subscribe, snapshot, noRecord.snapshot)
  }
  return {
    useReplica(name) {
      const copy = useClient().replica(name)
      return useSyncExternalStore(copy.subscribe, copy.snapshot, () => noRecords)
    },
    useRecord,
  }
}
