// Accepts sockets: each becomes a connection, which is counted and swept for liveness until it has closed.
import { closeCode, wireVersion } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { Accept, Connection, ConnectionEvents, Profile } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { ConnectionSet } from "../life/connection-set.ts"
import type { LivenessSweep } from "../life/liveness.ts"
import type { AdmissionOptions } from "./admission.machine.ts"
import type { ConnectionCaps } from "./connection-caps.ts"
import type { LoginHost } from "./login.ts"
import { openSession } from "./open-session.ts"
import type { OpeningHost } from "./open-session.ts"
import { RunningConnection } from "./run-connection.ts"
import type { ConnectionHost } from "./run-connection.ts"

/** Parts of a server that all connections share. */
export interface AcceptOptions<User extends AuthenticatedUser> {
  readonly login: Omit<LoginHost<User>, "admissionOf">
  readonly opening: OpeningHost<User>
  readonly dialects: ReadonlyMap<Profile, Dialect<User>>
  readonly connections: ConnectionSet<User>
  readonly caps: ConnectionCaps
  readonly liveness: LivenessSweep
}

export function createAccept<User extends AuthenticatedUser>(options: AcceptOptions<User>): Accept {
  const { login, opening, dialects, connections, caps, liveness } = options
  const { counters, limits } = opening
  const admission = new Map(
    [...dialects.values()].map((dialect) => [dialect, admissionOptions(limits, dialect)]),
  )
  const host: ConnectionHost<User> = {
    ...login,
    limits,
    admissionOf: (dialect) => admission.get(dialect) ?? admissionOptions(limits, dialect),
    openSession: (admitted) => openSession(opening, admitted),
    onClosed(closed) {
      counters.connectionsClosed += 1
      connections.delete(closed)
      liveness.changed()
    },
  }
  return (accepted) => {
    const dialect = dialects.get(accepted.profile)
    if (dialect === undefined) return refuse(accepted.connection, accepted.profile)
    const ticket = caps.enter(accepted.address, accepted.isCapped)
    const connection = new RunningConnection(host, accepted, dialect, ticket)
    counters.connectionsAccepted += 1
    connections.add(connection)
    liveness.changed()
    return connection
  }
}

function admissionOptions<User extends AuthenticatedUser>(
  limits: ServerLimits,
  { admission: rules }: Dialect<User>,
): AdmissionOptions {
  const { helloMaxBytes, authTimeoutMs, claimTimeoutMs, earlyMaxCount, earlyMaxBytes, clientMessage } = limits
  return {
    rules,
    wireVersion,
    helloMaxBytes,
    authTimeoutMs,
    claimTimeoutMs,
    earlyMaxCount,
    earlyMaxBytes,
    clientMessage,
  }
}

/** Closes a connection of a profile that this server does not serve. Entrances refuse it earlier, with 400. */
function refuse(connection: Connection, profile: Profile): ConnectionEvents {
  connection.close(closeCode.policyViolation, `this server does not serve profile ${profile}`)
  return { message() {}, text() {}, drained() {}, pong() {}, closed() {} }
}
