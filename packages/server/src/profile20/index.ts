export { profile20 } from "./dialect.ts"
export type { Event20, Payload20, Profile20, ReplicaChange20Of, Request20 } from "./options.ts"
