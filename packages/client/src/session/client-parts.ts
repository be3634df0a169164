// The parts of a running client that other parts use.
import type { Requests } from "../calls/requests.ts"
import type { Heartbeat } from "./heartbeat.ts"
import type { Links } from "./links.ts"
import type { Outage } from "./outage.ts"
import type { RunClientOptions } from "./run-client-options.ts"
import type { SessionBinding } from "./session-binding.ts"
import type { Supervisor } from "./supervisor.ts"
import type { Tokens } from "./tokens.ts"

export interface ClientParts extends RunClientOptions {
  readonly supervisor: Supervisor
  readonly tokens: Tokens
  readonly binding: SessionBinding
  readonly outage: Outage
  readonly requests: Requests
  readonly heartbeat: Heartbeat
  readonly links: Links
}
