// Watches whether the shown world is current, and how old it is otherwise. Both come from the replica.
import type { ReplicaCopy } from "@hawser/client"
import type { Store } from "./store.ts"

/** Interval of the check, in milliseconds; short enough for a figure in whole seconds. */
const lookEveryMs = 200

/** Keeps `ageSeconds` current: undefined while the world is current, and before it is known. `look` checks at once. */
export function watchAge(
  replica: Pick<ReplicaCopy, "stale" | "ageMs">,
  isKnown: () => boolean,
  ageSeconds: Store<number | undefined>,
): { look(): void; stop(): void } {
  const look = (): void =>
    ageSeconds.set(replica.stale && isKnown() ? Math.floor(replica.ageMs / 1_000) : undefined)
  const timer = setInterval(look, lookEveryMs)
  return { look, stop: () => clearInterval(timer) }
}
