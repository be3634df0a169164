// Hooks of topics and presence.
import { useEffect, useMemo, useSyncExternalStore } from "react"
import type { Contract, KindOfTopic } from "@hawser/client"
import type { CoreClient, TopicMethods } from "@hawser/client/core"
import { useLatest, useLive } from "./basic-hooks.ts"
import type { TopicHook, TopicHookOptions, TopicHooks } from "./hooks-api.ts"
import { holdTopic } from "./stays.ts"
import { noPresence, rejectNoTopic, topicStore } from "./topic-store.ts"

type TopicClient = CoreClient<Contract> & TopicMethods<Contract>

interface AnyOptions extends TopicHookOptions {
  readonly state?: unknown
}

export function topicHooks(useClient: () => TopicClient): TopicHooks<Contract> {
  function useTopic<N extends string>(
    name: N | null,
    options?: AnyOptions,
  ): TopicHook<Contract, KindOfTopic<Contract, N>>
  function useTopic(name: string | null, options: AnyOptions = {}): TopicHook<Contract, string> {
    const client = useClient()
    const topic = useMemo(() => (name === null ? undefined : client.topic(name)), [client, name])
    const size = options.log
    const store = useMemo(() => topicStore({ client, topic, size }), [client, topic, size])
    const view = useSyncExternalStore(store.subscribe, store.snapshot, store.empty)
    const live = useLive(client)
    const latest = useLatest({ options, store })
    useEffect(() => {
      if (topic === undefined || !live) return
      const readsError = (): boolean => latest.current.store.readsError()
      return holdTopic({ client, topic, options: latest.current.options, readsError })
    }, [client, topic, live, latest])
    return view
  }
  return {
    useTopic,
    usePresence(name) {
      const client = useClient()
      const store = useMemo(() => {
        const topic = name === null ? undefined : client.topic(name)
        const { presence } = topic ?? {}
        return {
          subscribe: presence?.subscribe ?? (() => () => {}),
          snapshot: presence?.snapshot ?? (() => noPresence),
          setState: topic === undefined ? rejectNoTopic : topic.setState.bind(topic),
        }
      }, [client, name])
      const { setState } = store
      const snapshot = useSyncExternalStore(store.subscribe, store.snapshot, () => noPresence)
      return useMemo(() => ({ ...snapshot, setState }), [snapshot, setState])
    },
  }
}
