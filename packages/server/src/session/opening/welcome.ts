// Encodes WELCOME, the first frame of a session on each of its connections.
import type { ServerLimits } from "@hawser/protocol"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerSession } from "../life/server-session.ts"
import type { ResumeTokens } from "./resume-token.ts"

interface WelcomeHost {
  readonly limits: Pick<ServerLimits, "message">
  readonly types: readonly string[]
  readonly tokens: ResumeTokens
}

/** Kind of a WELCOME. */
export interface WelcomeKind {
  readonly resumed: boolean
  /** Reason for not resuming the claimed session; undefined without a claim, and for a resumed session. */
  readonly refusal: string | undefined
}

export function encodeWelcome<User extends AuthenticatedUser>(
  { limits, types, tokens }: WelcomeHost,
  session: ServerSession<User>,
  { resumed, refusal }: WelcomeKind,
): Uint8Array {
  const { dialect, id, user } = session
  const { received, handled, digest } = session.counts
  const payload = dialect.welcome(session)
  return dialect.codec.encode({
    kind: "welcome",
    sessionId: id,
    resumeToken: session.resumable ? tokens.issue(id, user.id, session.tokenGeneration) : null,
    resumed,
    ...(refusal === undefined ? {} : { refusal }),
    received,
    handled,
    digest,
    expiresInMs: session.expiresInMs,
    limits: limits.message,
    types,
    ...(payload === undefined ? {} : { payload }),
  })
}
