// Takes sockets into a server: each becomes a connection, which is counted and watched until it has closed.
import { closeCode } from "@hawser/protocol/core"
import type { Accept, Connection, ConnectionEvents, Profile } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Hooks } from "../../base/hooks.ts"
import type { Session } from "../../base/session.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { ConnectionSet } from "../life/connection-set.ts"
import type { LivenessSweep } from "../life/liveness.ts"
import type { ConnectionCaps } from "./connection-caps.ts"
import { createOpener } from "./open-session.ts"
import type { OpeningHost } from "./open-session.ts"

export interface AcceptOptions<User extends AuthenticatedUser> extends Omit<
  OpeningHost<User>,
  "onOpened" | "onSuspicion" | "onClosed"
> {
  readonly dialects: ReadonlyMap<Profile, Dialect<User>>
  readonly connections: ConnectionSet<User>
  readonly caps: ConnectionCaps
  readonly liveness: LivenessSweep
  readonly hooks: {
    readonly opened: Hooks<{ readonly session: Session<User>; readonly replaces: readonly Session<User>[] }>
    readonly suspicion: Hooks<{ readonly session: Session<User>; readonly address: string }>
  }
}

export function createAccept<User extends AuthenticatedUser>(options: AcceptOptions<User>): Accept {
  const { caps, connections, counters, liveness, dialects, hooks, health } = options
  const open = createOpener<User>({
    ...options,
    onOpened(session, replaces) {
      health.attachments.attach(session)
      hooks.opened.run({ session, replaces })
    },
    onSuspicion: (session, address) => hooks.suspicion.run({ session, address }),
    onClosed(closed) {
      counters.connectionsClosed += 1
      connections.delete(closed)
      liveness.changed()
    },
  })
  return (accepted) => {
    const dialect = dialects.get(accepted.profile)
    if (dialect === undefined) return refuse(accepted.connection, accepted.profile)
    const connection = open(accepted, dialect, caps.enter(accepted.address, accepted.isCapped))
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
