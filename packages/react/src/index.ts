export { createHooks } from "./create-hooks.ts"
export type {
  CommandHook,
  CoreHooks,
  Hooks,
  PresenceHook,
  ProviderProps,
  ReplicaHooks,
  StreamHook,
  StreamHookOptions,
  StreamHooks,
  TopicArguments,
  TopicHook,
  TopicHookOptions,
  TopicHookState,
  TopicHooks,
} from "./hooks-api.ts"
