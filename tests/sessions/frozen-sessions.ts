// A session store whose sessions a test freezes and thaws, through their bytes.
import { decodeSessionRecord, encodeSessionRecord, memoryStore } from "@hawser/server"
import type { Session, SessionStore, StoreHost } from "@hawser/server"
import type { TestUser } from "../faults/harness.ts"

export interface FrozenSessions {
  /** For the option `sessionStore`. */
  readonly create: (host: StoreHost<TestUser>) => SessionStore
  readonly host: StoreHost<TestUser>
  freeze(sessionId: string): Uint8Array
  thaw(bytes: Uint8Array): Session<TestUser>
  /** Freezes and thaws at once, as when one process follows another. */
  restart(sessionId: string): Session<TestUser>
}

/** @param change of the store's answers. */
export function frozenSessions(
  change: (store: SessionStore) => SessionStore = (store) => store,
): FrozenSessions {
  let host: StoreHost<TestUser> | undefined
  const known = (): StoreHost<TestUser> => {
    if (host === undefined) throw new Error("no server has made this store")
    return host
  }
  const freeze = (sessionId: string): Uint8Array => {
    const record = known().freeze(sessionId)
    if (record === undefined) throw new Error(`session ${sessionId} cannot be frozen`)
    return encodeSessionRecord(record)
  }
  const thaw = (bytes: Uint8Array): Session<TestUser> => known().thaw(decodeSessionRecord(bytes))
  return {
    create(of) {
      host = of
      return change(memoryStore(of))
    },
    get host() {
      return known()
    },
    freeze,
    thaw,
    restart: (sessionId) => thaw(freeze(sessionId)),
  }
}
