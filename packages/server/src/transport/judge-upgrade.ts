// Decides whether a request may become a WebSocket: path, shutdown, origin, subprotocol, caps. Every way in asks here,
// whatever HTTP server it stands on. Knows no sockets.
import { chooseProfile, quoted, subprotocol } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol"
import type { Health, UpgradeRefusal } from "../metrics/health.ts"
import type { CapVerdict } from "../session/connection-caps.ts"
import { addressKey, isLoopback, peerAddress } from "./peer-address.ts"

/** A request for an upgrade as any HTTP server can show it. A header that came more than once is joined by commas. */
export interface UpgradeRequest {
  /** Without the query. */
  readonly path: string
  readonly remoteAddress: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The header Sec-WebSocket-Protocol. */
  readonly protocols: string | undefined
  /** The header X-Forwarded-For. */
  readonly forwardedFor: string | undefined
  /** False if the HTTP server may have dropped header fields; such a request is refused with 431. */
  readonly headersComplete: boolean
}

export interface UpgradeRefused {
  readonly kind: "refused"
  readonly reason: UpgradeRefusal
  /** Of HTTP. */
  readonly status: number
  readonly message: string
  readonly retryAfterSeconds?: number
}

export interface UpgradeAccepted {
  readonly kind: "accepted"
  readonly profile: Profile
  /** As the caps count it. */
  readonly address: string
  /** True unless the address is exempt from the caps. */
  readonly isCapped: boolean
}

export type UpgradeVerdict = UpgradeAccepted | UpgradeRefused

export interface UpgradePolicy {
  readonly path: string
  /** Exact origins (`https://game.example`), or a function. Undefined: only pages of the same host. */
  readonly origins: readonly string[] | ((origin: string) => boolean) | undefined
  /** Take the address from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean
  readonly checkCaps: (address: string, exempt: boolean) => CapVerdict
  readonly isClosing: () => boolean
  readonly health: Pick<Health, "upgradesRefused">
  readonly onError: (error: unknown) => void
}

/** Counts what it refuses. */
export function judgeUpgrade(request: UpgradeRequest, policy: UpgradePolicy): UpgradeVerdict {
  const verdict = judge(request, policy)
  if (verdict.kind === "refused") policy.health.upgradesRefused.add(verdict.reason)
  return verdict
}

function judge(request: UpgradeRequest, policy: UpgradePolicy): UpgradeVerdict {
  const { origin } = request
  if (request.path !== policy.path) {
    return { kind: "refused", reason: "path", status: 404, message: "no such path" }
  }
  if (policy.isClosing()) {
    return {
      kind: "refused",
      reason: "shutting_down",
      status: 503,
      message: "the server is shutting down",
      retryAfterSeconds: 1,
    }
  }
  // A dropped field may be the Origin, or the X-Forwarded-For of the proxy.
  if (!request.headersComplete) {
    return { kind: "refused", reason: "headers", status: 431, message: "too many header fields" }
  }
  if (origin !== undefined && !originAllowed(origin, request.host, policy)) {
    return {
      kind: "refused",
      reason: "origin",
      status: 403,
      message: `pages of ${quoted(origin)} may not connect here`,
    }
  }
  const profile = chooseProfile(offeredProtocols(request))
  if (profile === undefined) {
    return {
      kind: "refused",
      reason: "subprotocol",
      status: 400,
      message: `offer the subprotocol "${subprotocol}", or none`,
    }
  }
  return judgeAddress(request, profile, policy)
}

/** Last, because whoever is refused for another reason takes no part in the caps. */
function judgeAddress(request: UpgradeRequest, profile: Profile, policy: UpgradePolicy): UpgradeVerdict {
  const peer = peerAddress(request, policy.trustProxy)
  const address = addressKey(peer)
  const isCapped = policy.trustProxy || !isLoopback(peer)
  switch (policy.checkCaps(address, !isCapped)) {
    case "tooManyOfAddress":
      return {
        kind: "refused",
        reason: "address_connections",
        status: 429,
        message: "too many connections of this address",
        retryAfterSeconds: 10,
      }
    case "tooManyUnauthenticated":
      return {
        kind: "refused",
        reason: "logins_under_way",
        status: 503,
        message: "too many connections are logging in",
        retryAfterSeconds: 2,
      }
    case "allowed":
      return { kind: "accepted", profile, address, isCapped }
  }
}

/** Scheme, host and port must be equal to the letter. Without a list only the page's own host may connect. */
function originAllowed(
  origin: string,
  host: string | undefined,
  { origins, onError }: UpgradePolicy,
): boolean {
  if (typeof origins === "function") {
    try {
      return origins(origin)
    } catch (error) {
      // Thrown on (`new URL("null")` does), it would end the process: a stranger's header must not.
      onError(error)
      return false
    }
  }
  if (origins !== undefined) return origins.includes(origin)
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

function offeredProtocols({ protocols }: UpgradeRequest): string[] {
  return protocols === undefined ? [] : protocols.split(",").map((name) => name.trim())
}
