// What the operator should know of upgrades that are refused, or that look as if an option were wrong: one sentence with a
// hint for each cause, because neither end says anything else. Bounded, whoever sends what. Knows no sockets.
import { quoted } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { isLoopbackOrigin } from "./origin.ts"
import type { ServerWarning } from "../base/server-warning.ts"

/** What a refusal tells of its request. */
export interface RefusedRequest {
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly address: string
}

export interface WarningOptions {
  readonly path: string
  readonly trustProxy: boolean
  readonly clock: Pick<Clock, "now">
  readonly onWarning: (warning: ServerWarning) => void
}

/** Origins that get a warning of their own. Those beyond are counted, and the count is told once a minute. */
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

  /** A log-in was refused because its address has `connectionsPerAddress`. */
  addressFull(address: string): void {
    this.#once("sessions", {
      kind: "login_refused",
      message:
        `a log-in of the address ${quoted(address)} was refused with too_many_connections: the address has ` +
        "limits.connectionsPerAddress already. If it is your proxy's address, set trustProxy: true; if many users share " +
        "it, raise the limit.",
    })
  }

  /** Called for each request. `isForwarded`: it has a header that only proxies write. `hasAddress`: and it names a client. */
  proxied(isForwarded: boolean, hasAddress: boolean): void {
    const { trustProxy } = this.#options
    if (!trustProxy && isForwarded) {
      this.#once("proxy", {
        kind: "proxy_unexpected",
        message:
          "a request came through a proxy (it has X-Forwarded-For, Forwarded, Via or X-Real-IP), but trustProxy is " +
          "false: all clients behind the proxy count as one address, and share its caps. If the proxy is yours, and " +
          "sets X-Forwarded-For to its peer's address, set trustProxy: true.",
      })
    } else if (trustProxy && !hasAddress) {
      this.#once("proxy", {
        kind: "proxy_expected",
        message:
          "a request came without a usable X-Forwarded-For, but trustProxy is true: its sender's own address counts. " +
          "Let your proxy overwrite that header (nginx: proxy_set_header X-Forwarded-For $remote_addr), and let " +
          "nobody reach this port around it.",
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
          `If it may connect, list it in the option origins; if a proxy stands in between, let it pass the header ` +
          `Host on (nginx: proxy_set_header Host $http_host).${loopback}`,
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
      message: `pages of other origins were refused with 403: ${count} more since the last such line, ${quoted(origin)} the last of them.`,
    })
  }

  #hint(reason: string, { path, address }: RefusedRequest): string | undefined {
    switch (reason) {
      case "path":
        return `an upgrade to ${quoted(path)} was refused with 404: this server's path is ${quoted(this.#options.path)} (option path).`
      case "subprotocol":
        return "an upgrade was refused with 400: it offered subprotocols, and none of them is hawser.1."
      case "headers":
        return "an upgrade was refused with 431: its header fields fill the HTTP server's limit (maxHeadersCount)."
      case "address_connections":
        return (
          `an upgrade of the address ${quoted(address)} was refused with 429: the address is at its caps ` +
          "(connectionsPerAddress, unauthenticatedPerAddress, dialsPerAddressPerSecond, dialBurstPerAddress of limits). " +
          "If it is your proxy's address, set trustProxy: true."
        )
      case "logins_under_way":
        return "an upgrade was refused with 503: limits.unauthenticatedTotal sockets are logging in. It is retried."
      default:
        return undefined
    }
  }

  #once(what: string, warning: ServerWarning): void {
    if (this.#emitted.has(what)) return
    this.#emitted.add(what)
    this.#options.onWarning(warning)
  }
}
