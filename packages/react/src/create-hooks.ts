// Makes the hooks of a contract.
import { createContext, createElement, useContext, useLayoutEffect, useSyncExternalStore } from "react"
import type { Client, ClientStatus, Contract } from "@hawser/client"
import type { FeatureName } from "@hawser/client/core"
import { useLatest } from "./basic-hooks.ts"
import { commandHook } from "./command-hook.ts"
import type { CoreHooks, Hooks } from "./hooks-api.ts"
import { replicaHooks } from "./replica-hooks.ts"
import { holdConnection } from "./stays.ts"
import { streamHooks } from "./stream-hook.ts"
import { topicHooks } from "./topic-hooks.ts"

const idle: ClientStatus = Object.freeze({ state: "idle" })

/**
 * Creates the provider and the hooks of a contract. Call it once, outside of components. For a client with a choice of features
 * name them: `createHooks<typeof game, "topics">(game)`; hooks of other features do not exist for the compiler.
 */
export function createHooks<C extends Contract, F extends FeatureName = FeatureName>(contract: C): Hooks<C, F>
export function createHooks(contract?: Contract): Hooks<Contract> {
  if (!contract) throw new TypeError("createHooks needs a contract")
  const { name } = contract
  const Context = createContext<Client<Contract> | undefined>(undefined)
  const useClient = (): Client<Contract> => assertClient(useContext(Context))
  const assertClient = (client: Client<Contract> | undefined): Client<Contract> => {
    if (client !== undefined) return client
    const advice = "render <Provider client={client}> of the same createHooks() above it"
    throw new Error(`a hook of the contract "${name}" has no client: ${advice}`)
  }
  return {
    ...coreHooks({ Context, useClient, assertClient }),
    ...topicHooks(useClient),
    ...replicaHooks(useClient),
    ...streamHooks(useClient),
  }
}

interface CoreParts {
  readonly Context: React.Context<Client<Contract> | undefined>
  readonly useClient: () => Client<Contract>
  readonly assertClient: (client: Client<Contract> | undefined) => Client<Contract>
}

function coreHooks({ Context, useClient, assertClient }: CoreParts): CoreHooks<Contract, Client<Contract>> {
  return {
    Provider({ client, children }) {
      assertClient(client)
      // Layout effects of the components below run before this one: their listeners get the first event.
      useLayoutEffect(() => holdConnection(client), [client])
      return createElement(Context, { value: client }, children)
    },
    useClient,
    useStatus() {
      const { status } = useClient().stores
      return useSyncExternalStore(status.subscribe, status.snapshot, () => idle)
    },
    useEvent(event, listener) {
      const client = useClient()
      const latest = useLatest(listener)
      useLayoutEffect(
        () => client.on(event, (payload, meta) => latest.current(payload, meta)),
        [client, event, latest],
      )
    },
    useCommand: commandHook(useClient),
  }
}
