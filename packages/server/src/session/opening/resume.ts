// Judges the claim of a session, by the steps of docs/protocol.md in order. Changes nothing: the caller acts on the verdict in the
// same turn. S10 and S11 depend on this file.
import type { ResumeClaim } from "@hawser/protocol/core"
import type { TokenVerdict } from "./resume-token.ts"

/** Claim of a resuming client. */
export interface ResumeRequest extends ResumeClaim {
  /** Number of this client's dials. It distinguishes a late connection from a theft. */
  readonly dial: number
}

/** Claimed session of this process, as the verdict needs it. */
export interface ResumableSession {
  /** Generation of the newest resume token. */
  readonly tokenGeneration: number
  /** True once a message on the current connection has shown that the client received the newest token. The previous one is invalid then. */
  readonly isTokenConfirmed: boolean
  /** Dial number of the last accepted HELLO. */
  readonly lastDial: number
  /** True if the client's count and digest agree with this server's send buffer. */
  canResumeAfter(count: number, digest: number): boolean
}

/** Verdict on a claim. */
export type ResumeVerdict =
  | { readonly kind: "resume" }
  /** Open a new session instead, with this refusal in WELCOME. */
  | { readonly kind: "fresh"; readonly cause: string }
  /** Close the connection. The session does not change. */
  | { readonly kind: "refuse"; readonly code: "auth_token_invalid" | "auth_forbidden" | "replaced" }
  /** End the session and open a new one. `suspicious`: another client may hold its token. */
  | { readonly kind: "reset"; readonly cause: string; readonly suspicious: boolean }

/** @param session the claimed session; undefined if this process does not hold it. */
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
  // A connection that its client has abandoned may arrive after its successor. It is refused for any token, or it would take the
  // session from the newer connection.
  if (request.dial <= session.lastDial) return { kind: "refuse", code: "replaced" }
  // Only this server issues tokens, so it has lost its newest state: its journal is an older copy, or lacks records at its end.
  if (generation > session.tokenGeneration)
    return { kind: "reset", cause: "session_diverged", suspicious: false }
  if (!isCurrent && !isPrevious) return { kind: "reset", cause: "session_stolen", suspicious: true }
  if (!session.canResumeAfter(request.handled, request.digest))
    return { kind: "reset", cause: "session_diverged", suspicious: false }
  return { kind: "resume" }
}
