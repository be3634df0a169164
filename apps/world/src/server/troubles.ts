// Reasons why the world should get no further players, for GET /readyz.
import type { SaveHealth } from "./store/saver.ts"
import type { WorldServer } from "./game/world-types.ts"

/** Age of a pending append above which the journal counts as stuck, in milliseconds. */
const stuckMs = 1_000

/** Returns the reasons in the words of the log; none while everything that happens is kept. */
export function troublesOf(
  { isFailing }: Pick<SaveHealth, "isFailing">,
  { journal }: { readonly journal: Pick<Journal, "pendingMs"> | undefined },
): readonly string[] {
  return [
    ...(isFailing ? ["players' progress cannot be saved"] : []),
    ...(journal !== undefined && journal.pendingMs > stuckMs
      ? ["the journal's disk takes no records; output is held"]
      : []),
  ]
}

type Journal = NonNullable<ReturnType<WorldServer["stats"]>["journal"]>
