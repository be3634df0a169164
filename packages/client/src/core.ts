// Entry point of a client with a choice of features: a bundle contains no feature that it does not import.
export { createClient } from "./core-client.ts"
export type { CoreClientOptions } from "./core-client.ts"
export type { ClientWith, CoreClient, Feature, FeatureName } from "./client-api.ts"
export type { ReplicaMethods, StreamMethods, TopicMethods } from "./client-api.ts"
export { firefoxDials, replicas, streams, topics } from "./features.ts"
export * from "./public.ts"

// The vocabulary of contracts, so that an application needs no second package.
export * from "@hawser/protocol"
