// Whether what is shown of the world is how it is now, and how long ago it was: told by the replicas themselves.
import type { ReplicaCopy } from "@hawser/client"
import type { Store } from "./store.ts"

/** Often enough for a figure in whole seconds. */
const lookEveryMs = 200

/** `ageSeconds`: undefined while the world is shown as it is, and before there is any. Returns how to stop. */
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
