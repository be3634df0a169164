// Builds the transport layer of one server: its entrances and the turn of its output. Must not know messages.
import type { Accept, Profile } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import type { ConnectionCaps } from "../session/opening/connection-caps.ts"
import { Entrances } from "./entrances.ts"
import { canonicalOrigins } from "./origin.ts"
import { Turn } from "./turn.ts"
import type { UpgradeWarnings } from "./upgrade-warnings.ts"

export interface EntrancesSetup {
  readonly path: string
  readonly origins: readonly string[] | ((origin: string) => boolean) | undefined
  readonly allowLoopbackOrigins: boolean
  readonly trustProxy: boolean
  readonly warnings: UpgradeWarnings
  readonly isClosing: () => boolean
  /** @throws TypeError while a call of the contract has no handler. */
  readonly assertReady: () => void
}

/** Parts of the session layer that entrances use. */
interface EnteredSessions {
  readonly accept: Accept
  readonly caps: ConnectionCaps
  readonly dialects: ReadonlyMap<Profile, unknown>
}

/** @throws TypeError for an entry of `origins` that is not an origin. */
export function createEntrances(
  setup: EntrancesSetup,
  { limits, clock, timers, health, onError }: Base,
  { accept, caps, dialects }: EnteredSessions,
): Entrances {
  return new Entrances({
    ...setup,
    origins: typeof setup.origins === "object" ? canonicalOrigins(setup.origins) : setup.origins,
    limits,
    clock,
    timers,
    turn: new Turn({ clock, onError }),
    health,
    onError,
    accept,
    profiles: new Set(dialects.keys()),
    checkCaps: (address, exempt) => caps.check(address, exempt),
  })
}
