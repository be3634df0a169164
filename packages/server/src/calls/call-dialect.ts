// Port of a wire profile, as the router of calls uses it: translation between a client's requests and the contract's calls.
import type { RequestFrame, WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

/** A call of the contract and its input. */
interface Called {
  readonly name: string
  readonly input: unknown
}

/** Parts of Hawser that not every profile has. */
type Feature = "streams" | "topics"

export interface CallDialect<User extends AuthenticatedUser> {
  /** Returns the call of the contract that a request stands for. @throws HawserError for a request that has none. */
  request(frame: RequestFrame): Called
  /** Returns the payload of a reply to the call `name`. */
  reply(name: string, output: unknown, session: Session<User>): unknown
  /** Returns the error of a reply. `type`: name of the request, as the client sent it. */
  error(error: WireError, type: string): WireError
  /** @throws HawserError `not_available` for a feature that this profile lacks. */
  assertServes(feature: Feature): void
}
