// Translates between a contract and protocol `2.0` by the application's options. A message without a translation passes unchanged.
import { plain } from "@hawser/protocol"
import type { Contract } from "@hawser/protocol"
import { isMap } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { ReplicaChange } from "../session/conversation/dialect.ts"
import type { Event20, Profile20, Request20 } from "./options.ts"

/** Translations with defaults. They are looked up in maps, so that a name such as `toString` has none. */
export interface Translator20<User extends AuthenticatedUser> {
  welcome(session: Session<User>): object
  request(name: string, payload: unknown): Request20
  reply(name: string, output: unknown, session: Session<User>): unknown
  error(error: WireError, name: string): WireError
  event(name: string, payload: unknown): readonly Event20[]
  replica(name: string, change: ReplicaChange): readonly Event20[]
}

export function createTranslator20<User extends AuthenticatedUser>(
  profile: Profile20<Contract, User> = {},
): Translator20<User> {
  const requests = new Map(Object.entries(profile.requests ?? {}))
  const replies = new Map(Object.entries(profile.replies ?? {}))
  const events = new Map(Object.entries(profile.events ?? {}))
  const replicas = new Map(Object.entries(profile.replicas ?? {}))
  return {
    welcome: (session) => profile.welcome?.(session) ?? {},
    request: (name, payload) => requests.get(name)?.(asMap(payload)) ?? { name, input: payload },
    reply: (name, output, session) => replies.get(name)?.(plain(output), session) ?? output,
    error: (error, name) => profile.error?.(error, name) ?? error,
    event: (name, payload) =>
      events.get(name)?.(plain(payload)) ?? [{ name, payload: asMap(plain(payload)) }],
    replica: (name, change) => replicas.get(name)?.(change) ?? [],
  }
}

/** Returns a map unchanged and any other value as `{ value }`: payloads of `2.0` are maps. */
function asMap(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : { value }
}
