// Warnings for the operator about refused upgrades and about options that do not match the requests: one sentence with advice
// per cause. The number of warnings is bounded for any input. Must not know sockets.
import { quoted } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { isLoopbackOrigin } from "./origin.ts"
import type { ServerWarning } from "../base/server-warning.ts"

/** Properties of a refused request. */
export interface RefusedRequest {
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** True if it offers a subprotocol. */
  readonly offersProtocol: boolean
  /** Body of the response. */
  readonly message: string
  readonly address: string
}

export interface WarningOptions {
  readonly path: string
  readonly trustProxy: boolean
  readonly clock: Pick<Clock, "now">
  readonly onWarning: (warning: ServerWarning) => void
}

/** Number of origins with a separate warning. Further origins are counted; one warning a minute has their count. */
const originsMax = 16
const minuteMs = 60_000

export class UpgradeWarnings {
  readonly #options: WarningOptions
  readonly #origins = new Set<string>()
  readonly #emitted = new Set<string>()
  #moreOrigins = 0
  #lastSummaryAtMs = Number.NEGATIVE_INFINITY

  constructor(options: WarningOptions) {
    this.#options = options
  }

  refused(reason: string, request: RefusedRequest): void {
    if (reason === "origin") this.#originRefused(request)
    else {
      const hint = this.#hint(reason, request)
      if (hint !== undefined) this.#once(reason, { kind: "upgrade_refused", message: hint })
    }
  }

  /** Called when a log-in was refused because its address has `connectionsPerAddress` connections. */
  addressFull(address: string): void {
    this.#once("sessions", {
      kind: "login_refused",
      message:
        `a log-in from the address ${quoted(address)} was refused with too_many_connections: the address has the maximum ` +
        "number of connections (limits.connectionsPerAddress). If it is your proxy's address, set trustProxy: true. If many " +
        "users share it, raise the limit.",
    })
  }

  /**
   * Called for each request.
   * @param isForwarded the request has a header that only proxies write.
   * @param hasAddress its X-Forwarded-For contains a usable address.
   */
  proxied(isForwarded: boolean, hasAddress: boolean): void {
    const { trustProxy } = this.#options
    if (!trustProxy && isForwarded) {
      this.#once("proxy", {
        kind: "proxy_unexpected",
        message:
          "a request came through a proxy (it has X-Forwarded-For, Forwarded, Via or X-Real-IP), but trustProxy is " +
          "false: all clients behind the proxy count as one address and share its caps. If the proxy is yours and " +
          "sets X-Forwarded-For to its peer's address, set trustProxy: true.",
      })
    } else if (trustProxy && !hasAddress) {
      this.#once("proxy", {
        kind: "proxy_expected",
        message:
          "a request came without a usable X-Forwarded-For, but trustProxy is true: the caps use its peer's address. " +
          "Configure your proxy to overwrite that header (nginx: proxy_set_header X-Forwarded-For $remote_addr), and " +
          "make this port reachable through the proxy only.",
      })
    }
  }

  #originRefused({ origin = "", host }: RefusedRequest): void {
    if (this.#origins.has(origin)) return
    if (this.#origins.size < originsMax) {
      this.#origins.add(origin)
      const loopback = isLoopbackOrigin(origin) ? " For development, set allowLoopbackOrigins: true." : ""
      this.#options.onWarning({
        kind: "origin_refused",
        message:
          `a page of ${quoted(origin)} was refused with 403: its request is for the host ${quoted(host ?? "")}. ` +
          `If it may connect, list it in the option origins. If the request passed a proxy, configure the proxy to forward ` +
          `the header Host (nginx: proxy_set_header Host $http_host).${loopback}`,
      })
      return
    }
    this.#moreOrigins += 1
    const nowMs = this.#options.clock.now()
    if (nowMs - this.#lastSummaryAtMs < minuteMs) return
    const count = this.#moreOrigins
    this.#lastSummaryAtMs = nowMs
    this.#moreOrigins = 0
    this.#options.onWarning({
      kind: "origin_refused",
      message: `pages of other origins were refused with 403: ${count} more since the last such warning, the last of them ${quoted(origin)}.`,
    })
  }

  #hint(reason: string, { path, address, offersProtocol, message }: RefusedRequest): string | undefined {
    switch (reason) {
      case "path":
        return `an upgrade to ${quoted(path)} was refused with 404: this server's path is ${quoted(this.#options.path)} (option path).`
      case "subprotocol":
        return `an upgrade that offered ${offersProtocol ? "other subprotocols only" : "no subprotocol"} was refused with 400: ${message}.`
      case "headers":
        return "an upgrade was refused with 431: the number of its header fields is at the HTTP server's limit (maxHeadersCount)."
      case "address_connections":
        return (
          `an upgrade from the address ${quoted(address)} was refused with 429: the address is at a cap ` +
          "(limits.connectionsPerAddress, unauthenticatedPerAddress, dialsPerAddressPerSecond or dialBurstPerAddress). " +
          "If it is your proxy's address, set trustProxy: true."
        )
      case "logins_under_way":
        return "an upgrade was refused with 503: too many sockets are logging in (limits.unauthenticatedTotal). Clients retry."
      default:
        return undefined
    }
  }

  #once(cause: string, warning: ServerWarning): void {
    if (this.#emitted.has(cause)) return
    this.#emitted.add(cause)
    this.#options.onWarning(warning)
  }
}
