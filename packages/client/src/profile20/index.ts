// Entry point of profile `2.0`, apart from the client's own, so that only clients that speak `2.0` load its codec.
export { profile20 } from "./dialect.ts"
export type { Dialect } from "../session/dialect.ts"
