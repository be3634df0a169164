// Encodes WELCOME, the first frame of a session on each of its connections.
import type { ServerLimits } from "@hawser/protocol"
import type { WelcomeFrame } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerSession } from "../life/server-session.ts"
import type { ResumeTokens } from "./resume-token.ts"

interface WelcomeHost {
  readonly limits: Pick<ServerLimits, "message">
  readonly types: { readonly names: readonly string[] }
  readonly tokens: ResumeTokens
}

/** `refusal`: reason for not resuming the claimed session; absent without a claim, and for a resumed session. */
export type WelcomeKind = Pick<WelcomeFrame, "resumed" | "refusal">

export function encodeWelcome<User extends AuthenticatedUser>(
  { limits, types, tokens }: WelcomeHost,
  session: ServerSession<User>,
  kind: WelcomeKind,
): Uint8Array {
  const { dialect, id, user } = session
  const { received, handled, digest } = session.counts
  return dialect.codec.encode({
    kind: "welcome",
    sessionId: id,
    resumeToken: session.resumable ? tokens.issue(id, user.id, session.tokenGeneration) : null,
    ...kind,
    received,
    handled,
    digest,
    expiresInMs: session.expiresInMs,
    limits: limits.message,
    types: types.names,
    payload: dialect.welcome(session),
  })
}
