// Decides whether a client may go on with a session: the steps of docs/protocol.md in order. Nothing is changed
// here; the caller acts on the verdict in the same turn. Invariants S10 and S11 rest on this file.
import type { TokenVerdict } from "./resume-token.ts"

/** What a client that comes back presents. */
export interface ResumeRequest {
  readonly sessionId: string
  readonly token: string
  /** Reliable messages that the client has handled, and their digest. */
  readonly handled: number
  readonly digest: number
  /** Counts this client's dials; tells a late arrival from a theft. */
  readonly dial: number
}

/** What the verdict needs to know of a session that this server holds. */
export interface ResumableSession {
  /** The generation of the newest token. */
  readonly tokenGeneration: number
  /** True once the client has shown that it received the newest token: the one before is dead then. */
  readonly isTokenConfirmed: boolean
  /** The dial number that the last accepted resume carried. */
  readonly lastDial: number
  canResumeAfter(count: number, digest: number): boolean
}

export type ResumeVerdict =
  | { readonly kind: "resume" }
  /** A new session instead; `cause` tells the client why. */
  | { readonly kind: "fresh"; readonly cause: string }
  /** The connection is of no use, the session (of whoever it is) stays as it is. */
  | { readonly kind: "refuse"; readonly code: "auth_token_invalid" | "auth_forbidden" | "replaced" }
  /** Both ends must give the session up; `suspicious` when somebody else may hold its token. */
  | { readonly kind: "reset"; readonly cause: string; readonly suspicious: boolean }

export function judgeResume(
  request: ResumeRequest,
  token: TokenVerdict,
  session: ResumableSession | undefined,
): ResumeVerdict {
  switch (token.kind) {
    case "forged":
      return { kind: "refuse", code: "auth_token_invalid" }
    case "otherUser":
      return { kind: "refuse", code: "auth_forbidden" }
    case "unknownKey":
      return { kind: "fresh", cause: "session_unknown" }
    case "valid":
      return session === undefined
        ? { kind: "fresh", cause: "session_unknown" }
        : judgeGeneration(request, token.generation, session)
  }
}

function judgeGeneration(
  request: ResumeRequest,
  generation: number,
  session: ResumableSession,
): ResumeVerdict {
  const isCurrent = generation === session.tokenGeneration
  const isPrevious = generation === session.tokenGeneration - 1 && !session.isTokenConfirmed
  // A socket that this client itself gave up, arriving after its successor, never attaches, whatever its token: it
  // would take the session from the newer one. Nobody listens on it; should somebody, the code tells the truth.
  if (request.dial <= session.lastDial) return { kind: "refuse", code: "replaced" }
  if (!isCurrent && !isPrevious) return { kind: "reset", cause: "session_stolen", suspicious: true }
  if (!session.canResumeAfter(request.handled, request.digest))
    return { kind: "reset", cause: "session_diverged", suspicious: false }
  return { kind: "resume" }
}
