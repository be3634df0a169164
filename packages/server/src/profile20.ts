// Where an application says how its messages look to clients of protocol `2.0`. Handlers know nothing of it.
import { plain } from "@hawser/protocol"
import type { CallKind, Encodable, WireError } from "@hawser/protocol"
import type { Session } from "./session/session.ts"
import type { AuthenticatedUser } from "./authenticate.ts"

/** An event of `2.0`: `name` is camelCase and travels as `event_` plus its snake_case form. */
export interface Event20 {
  readonly name: string
  readonly payload: Encodable<object>
}

/** Every member may be left out: names and payloads then pass as they are. */
export interface Profile20<User extends AuthenticatedUser> {
  /** The payload of `event_welcome`. Called once, before anything else is sent to the session. */
  welcome?(session: Session<User>): object
  /** A request's name (camelCase) and payload to the contract's. Throws `HawserError` for what this server lacks. */
  request?(name: string, payload: unknown, call: CallKind | undefined): { readonly name: string; readonly input: unknown }
  /** A handler's result to the payload of `resp_success` or `resp_data`. */
  reply?(name: string, output: unknown, session: Session<User>): unknown
  /** The error of a request, of type `name`. */
  error?(error: WireError, name: string): WireError
  /** An event of the contract to none, one or several of `2.0`. Called once per publication, not per recipient. */
  event?(name: string, payload: unknown): readonly Event20[]
}

/** The same with every member present. */
export type Translator20<User extends AuthenticatedUser> = Required<Profile20<User>>

export function completeProfile20<User extends AuthenticatedUser>(profile: Profile20<User> = {}): Translator20<User> {
  return {
    welcome: (session) => profile.welcome?.(session) ?? {},
    request: (name, payload, call) => profile.request?.(name, payload, call) ?? { name, input: payload },
    reply: (name, output, session) => profile.reply?.(name, output, session) ?? output,
    error: (error, name) => profile.error?.(error, name) ?? error,
    event: (name, payload) => profile.event?.(name, payload) ?? [{ name, payload: asMap(payload) }],
  }
}

/** `2.0` knows maps only; anything else travels as `{ value }`. */
function asMap(payload: unknown): Encodable<object> {
  const value = plain(payload)
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { value }
}
