// Port of a wire profile for `CallRouter`: translation between a client's requests and the contract's calls.
import type { RequestFrame, WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"

/** Call of the contract, with its input. */
interface Called {
  /** Name of the call in the contract. */
  readonly name: string
  /** Input of the call, not validated. */
  readonly input: unknown
}

/** Features that some profiles lack. */
type Feature = "streams" | "topics"

/** Translation between the requests of a profile and the calls of the contract. */
export interface CallDialect<User extends AuthenticatedUser> {
  /** Returns the call of a request. @throws HawserError for a request without a call. */
  request(frame: RequestFrame): Called
  /** Returns the payload of a reply to the call `name`. */
  reply(name: string, output: unknown, session: Session<User>): unknown
  /** Returns the error of a reply. `type`: name of the request, as the client sent it. */
  error(error: WireError, type: string): WireError
  /** Checks that this profile has a feature. @throws HawserError `not_available` for a feature that this profile lacks. */
  assertServes(feature: Feature): void
}
