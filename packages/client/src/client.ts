// The client with every feature.
import { assertContract, assertGiven } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { Client } from "./client-api.ts"
import type { ClientOptions } from "./client-options.ts"
import { createClient as createCoreClient } from "./core-client.ts"
import { firefoxDials, replicas, streams, topics } from "./features.ts"

/**
 * Creates a client with topics, replicas and streams. It connects at the end of the current task, unless `autoConnect` is
 * false. `createClient` of `@hawser/client/core` takes a choice of these features, for a smaller bundle.
 * @throws TypeError for a first argument that is no contract, an unknown option or limit, an option of the wrong type, an address
 * that no WebSocket can use, and a runtime without a WebSocket unless `autoConnect` is false.
 * @throws RangeError that names a limit which is out of range.
 */
export function createClient<C extends Contract>(contract: C, options: ClientOptions): Client<C> {
  assertContract("createClient", contract)
  assertGiven("createClient", options, "createClient(contract, { url, token })")
  return createCoreClient(contract, { ...options, use: [topics(), replicas(), streams(), firefoxDials()] })
}
