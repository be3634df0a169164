// Accepts sockets: each becomes a connection, which is counted and swept for liveness until it has closed.
import { closeCode } from "@hawser/protocol/core"
import type { Accept, Connection, ConnectionEvents, Profile } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { ConnectionSet } from "../life/connection-set.ts"
import type { LivenessSweep } from "../life/liveness.ts"
import type { ConnectionCaps } from "./connection-caps.ts"
import { RunningConnection } from "./run-connection.ts"
import type { ConnectionHost } from "./run-connection.ts"

/** Parts of a server that accepts connections. */
export interface AcceptHost<User extends AuthenticatedUser> extends Omit<ConnectionHost<User>, "onClosed"> {
  readonly dialects: ReadonlyMap<Profile, Dialect<User>>
  readonly connections: ConnectionSet<User>
  readonly caps: ConnectionCaps
  readonly liveness: LivenessSweep
}

export function createAccept<User extends AuthenticatedUser>(acceptHost: AcceptHost<User>): Accept {
  const { dialects, connections, caps, liveness, counters } = acceptHost
  const host: ConnectionHost<User> = {
    ...acceptHost,
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

/** Closes a connection of a profile that this server does not serve. Entrances refuse it earlier, with 400. */
function refuse(connection: Connection, profile: Profile): ConnectionEvents {
  connection.close(closeCode.policyViolation, `this server does not serve profile ${profile}`)
  return { message() {}, text() {}, drained() {}, pong() {}, closed() {} }
}
