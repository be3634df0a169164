// Decides whether a request may become a WebSocket, in this order: path, shutdown, header fields, origin, subprotocol, caps.
// All entrances use it, on any HTTP server. Must not know sockets.
import { chooseProfile, quoted, subprotocol } from "@hawser/protocol/core"
import type { Profile } from "@hawser/protocol/core"
import type { Health, UpgradeRefusal } from "../base/health.ts"
import type { ConnectionCaps } from "../session/opening/connection-caps.ts"
import { canonicalOrigin, isLoopbackHost, isLoopbackOrigin, isOfHost } from "./origin.ts"
import { addressKey, forwardedAddress, isLoopback, peerAddress } from "./peer-address.ts"
import type { UpgradeWarnings } from "./upgrade-warnings.ts"

/** A request for an upgrade, independent of the HTTP server. Repeated headers are joined by commas. */
export interface UpgradeRequest {
  /** Path without the query. */
  readonly path: string
  /** IP address of the peer; undefined for a Unix socket. */
  readonly remoteAddress: string | undefined
  /** The header Host, or the host of an absolute request target. */
  readonly host: string | undefined
  /** The header Origin. */
  readonly origin: string | undefined
  /** The header Sec-WebSocket-Protocol. */
  readonly protocols: string | undefined
  /** The header X-Forwarded-For. */
  readonly forwardedFor: string | undefined
  /** True if it has a header that only proxies write: X-Forwarded-For, Forwarded, Via, X-Real-IP. */
  readonly isForwarded: boolean
  /** False if the HTTP server may have dropped header fields; such a request is refused with 431. */
  readonly headersComplete: boolean
}

/** Headers that only proxies write. */
export const proxyHeaders: readonly string[] = ["x-forwarded-for", "forwarded", "via", "x-real-ip"]

/** Returns true if a header Upgrade offers WebSocket, alone or among others. */
export function isWebSocketOffer(upgrade: string): boolean {
  return upgrade.split(",").some((offer) => offer.trim().toLowerCase() === "websocket")
}

interface UpgradeRefused {
  /** Discriminant of `UpgradeVerdict`. */
  readonly kind: "refused"
  /** Reason, as a label of the metrics. */
  readonly reason: UpgradeRefusal
  /** HTTP status. */
  readonly status: number
  /** Body of the response, without its line break. */
  readonly message: string
  /** Header Retry-After, in seconds. Absent: the response has no such header. */
  readonly retryAfterSeconds?: number
}

/** Part of a refusal that the client receives. */
export type RefusalResponse = Pick<UpgradeRefused, "status" | "message" | "retryAfterSeconds">

export interface UpgradeAccepted {
  /** Discriminant of `UpgradeVerdict`. */
  readonly kind: "accepted"
  /** Wire profile that the subprotocol selects. */
  readonly profile: Profile
  /** Address key for the caps (`addressKey`). */
  readonly address: string
  /** True unless the address is exempt from the caps. */
  readonly isCapped: boolean
}

export type UpgradeVerdict = UpgradeAccepted | UpgradeRefused

export interface UpgradePolicy {
  readonly path: string
  /** Allowed origins in canonical form, or a function. Undefined: only pages of the same host. */
  readonly origins: ReadonlySet<string> | ((origin: string) => boolean) | undefined
  /** Allows pages of this machine in a browser of this machine. */
  readonly allowLoopbackOrigins: boolean
  /** Uses the address in the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean
  /** Profiles that this server serves. */
  readonly profiles: ReadonlySet<Profile>
  readonly caps: Pick<ConnectionCaps, "check">
  readonly isClosing: () => boolean
  readonly health: Pick<Health, "upgradesRefused">
  readonly warnings: Pick<UpgradeWarnings, "refused" | "proxied">
  readonly onError: (error: unknown) => void
}

/** Decides about an upgrade. Counts a refusal and warns of it. */
export function judgeUpgrade(request: UpgradeRequest, policy: UpgradePolicy): UpgradeVerdict {
  const { isForwarded, forwardedFor = "" } = request
  policy.warnings.proxied(isForwarded, forwardedAddress(forwardedFor) !== undefined)
  const verdict = judge(request, policy)
  if (verdict.kind === "refused") {
    const { path, host, origin, protocols } = request
    policy.health.upgradesRefused.add(verdict.reason)
    policy.warnings.refused(verdict.reason, {
      path,
      host,
      origin,
      // Never the header itself: clients put tokens there.
      offersProtocol: protocols !== undefined,
      message: verdict.message,
      address: addressKey(peerAddress(request, policy.trustProxy)),
    })
  }
  return verdict
}

function refused(reason: UpgradeRefusal, status: number, message: string): UpgradeRefused {
  return { kind: "refused", reason, status, message }
}

function judge(request: UpgradeRequest, policy: UpgradePolicy): UpgradeVerdict {
  const { origin } = request
  if (request.path !== policy.path) {
    return refused("path", 404, "no such path")
  }
  if (policy.isClosing()) {
    return { ...refused("shutting_down", 503, "the server is shutting down"), retryAfterSeconds: 1 }
  }
  // A dropped field may be the Origin, or the X-Forwarded-For of the proxy.
  if (!request.headersComplete) {
    return refused("headers", 431, "too many header fields")
  }
  if (origin !== undefined && !originAllowed(origin, request, policy)) {
    return refused("origin", 403, `pages of ${quoted(origin)} may not connect here`)
  }
  const profile = chooseProfile(offeredProtocols(request))
  if (profile === undefined || !policy.profiles.has(profile)) {
    const advice =
      policy.profiles.size > 1
        ? "or none for profile 2.0"
        : "for clients of 2.0, which offer none, the server needs the option profile20: profile20() of @hawser/server/profile20"
    const form = `new WebSocket(url, "${subprotocol}")`
    return refused("subprotocol", 400, `offer the subprotocol ${subprotocol}, as in ${form}; ${advice}`)
  }
  return judgeAddress(request, profile, policy)
}

/** Checks the caps. Called last, because a request that is refused for another reason must not count. */
function judgeAddress(request: UpgradeRequest, profile: Profile, policy: UpgradePolicy): UpgradeVerdict {
  const peer = peerAddress(request, policy.trustProxy)
  const address = addressKey(peer)
  const isCapped = policy.trustProxy || !isLoopback(peer)
  switch (policy.caps.check(address, !isCapped)) {
    case "tooManyOfAddress":
      return {
        ...refused("address_connections", 429, "too many connections of this address"),
        retryAfterSeconds: 10,
      }
    case "tooManyUnauthenticated":
      return {
        ...refused("logins_under_way", 503, "too many connections are logging in"),
        retryAfterSeconds: 2,
      }
    case "allowed":
      return { kind: "accepted", profile, address, isCapped }
  }
}

function originAllowed(origin: string, request: UpgradeRequest, policy: UpgradePolicy): boolean {
  const { origins, onError } = policy
  if (policy.allowLoopbackOrigins && isOnThisMachine(origin, request, policy)) return true
  if (typeof origins === "function") {
    try {
      const isAllowed: unknown = origins(origin)
      if (typeof isAllowed === "boolean") return isAllowed
      // The promise of an asynchronous function would allow every origin, if its truth counted.
      throw new TypeError(`the option origins must return true or false at once, not ${quoted(isAllowed)}`)
    } catch (error) {
      // The function may throw, for example `new URL("null")`. An uncaught error would let any request end the process.
      onError(error)
      return false
    }
  }
  if (origins !== undefined) return origins.has(canonicalOrigin(origin) ?? origin)
  return isOfHost(origin, request.host)
}

/** Returns true if origin, host and peer are all on this machine. */
function isOnThisMachine(origin: string, request: UpgradeRequest, { trustProxy }: UpgradePolicy): boolean {
  return (
    isLoopbackOrigin(origin) &&
    isLoopbackHost(request.host ?? "") &&
    isLoopback(peerAddress(request, trustProxy))
  )
}

function offeredProtocols({ protocols }: UpgradeRequest): string[] {
  return protocols === undefined ? [] : protocols.split(",").map((name) => name.trim())
}
