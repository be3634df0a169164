// The stores of a client: its status, session, pending requests and numbers. Must not know frames or topics.
import type { TimerQueue } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { CachedStore, SampledStore } from "./base/store.ts"
import type { PendingRequest } from "./calls/pending-request.ts"
import type { ClientStats, ClientStores, SessionView } from "./client-api.ts"
import type { SessionEvent } from "./session/session-event.ts"
import type { ClientStatus } from "./session/status.ts"

/** Age at which the snapshot of `stats` is replaced, in milliseconds. */
const statsEveryMs = 1_000

export interface ClientStoresOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly status: () => ClientStatus
  readonly pending: () => PendingRequest[]
  readonly stats: () => ClientStats
  readonly onError: (error: unknown) => void
}

export class ClientStoreSet implements ClientStores {
  readonly status: CachedStore<ClientStatus>
  readonly session: CachedStore<SessionView>
  readonly pending: CachedStore<readonly PendingRequest[]>
  readonly stats: SampledStore<ClientStats>
  #view: SessionView = { id: undefined, last: undefined }

  constructor(options: ClientStoresOptions) {
    const { onError, pending, stats, status } = options
    this.status = new CachedStore({ build: status, onError })
    this.session = new CachedStore({ build: () => this.#view, onError })
    this.pending = new CachedStore<readonly PendingRequest[]>({ build: pending, onError })
    const isLive = (): boolean => status().state !== "closed"
    this.stats = new SampledStore({ ...options, build: stats, everyMs: statsEveryMs, isLive })
  }

  onStatus(): void {
    this.status.changed()
    // A request waits for the connection, or for space in an open one.
    this.pending.changed()
    this.stats.changed()
  }

  onSession(event: SessionEvent): void {
    this.#view = { id: idAfter(event, this.#view.id), last: event }
    this.session.changed()
  }
}

function idAfter(event: SessionEvent, before: string | undefined): string | undefined {
  if (event.kind === "prolonged") return before
  return event.kind === "reset" ? undefined : event.sessionId
}
