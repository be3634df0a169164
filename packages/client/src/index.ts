export { createClient } from "./client.ts"
export type { Client } from "./client-api.ts"
export * from "./public.ts"

// The vocabulary of contracts, so that an application needs no second package.
export * from "@hawser/protocol"
