// Measures the round trip while the connection is open.
import type { Client } from "@hawser/client"
import type { WorldContract } from "../contract.ts"
import type { Store } from "./store.ts"

const everyMs = 2_000

/** Returns how to stop. */
export function measureRoundTrip(
  client: Client<WorldContract>,
  roundTripMs: Store<number | undefined>,
): () => void {
  const measure = (): void => {
    if (client.current.state !== "open") return
    // A connection that is lost meanwhile has no round trip.
    client.ping().then(
      (ms) => roundTripMs.set(ms),
      () => roundTripMs.set(undefined),
    )
  }
  const timer = setInterval(measure, everyMs)
  const stopListening = client.onStatus(measure)
  return () => {
    clearInterval(timer)
    stopListening()
  }
}
