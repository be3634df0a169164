// Options and result of `listen`: the address of the server, or a listening socket that another process has opened.
import { assertOptions, quoted } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"

/** Address that a server listens on; the options of `serveWithBun()`. */
export interface ListenAddress {
  /** Port to listen on. Default 0: any free port. */
  readonly port?: number
  /** Address to listen on. Default: all interfaces. */
  readonly host?: string
}

/** Options of `server.listen()`. */
export interface ListenOptions extends ListenAddress {
  /**
   * Descriptor of a listening socket that another process has opened and passed to this one, TCP or Unix; `systemdSocket` returns
   * systemd's. It replaces `port` and `host`. Dials wait in it while no process serves it, so a restart refuses none. Default: none.
   */
  readonly fd?: number
  /**
   * Length of the accept queue, in connections; default 4,096. Linux limits it to `net.core.somaxconn`. An overflowing connection is
   * retried by the client's system after 1 s or more.
   */
  readonly backlog?: number
}

/**
 * Default of `backlog`. Node's default of 511 overflows after one second of a flood in which the process gets no CPU time, and while
 * the clients of a restarting server dial.
 */
export const defaultBacklog = 4_096

/** Names of `ListenAddress`. The system checks the values. */
export const addressOptions: OptionTable<ListenAddress> = { port: "any", host: "any" }
const listenOptions: OptionTable<ListenOptions> = { ...addressOptions, fd: "any", backlog: "any" }

/** @throws TypeError for an unknown option, for `fd` beside `port` or `host`, and for numbers that are none of their option. */
export function assertListenOptions(options: ListenOptions): void {
  assertOptions("listen", options, listenOptions)
  const { port, host, fd, backlog } = options
  assertWhole("fd", fd, 0)
  assertWhole("backlog", backlog, 1)
  if (fd === undefined || (port === undefined && host === undefined)) return
  const other = port === undefined ? `host ${quoted(host)}` : `port ${quoted(port)}`
  throw new TypeError(
    `listen got the descriptor ${fd} (fd) and the ${other}: the socket of the descriptor has its address already, so pass one of them`,
  )
}

function assertWhole(name: "fd" | "backlog", value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new TypeError(
    `the option ${name} of listen must be a whole number from ${least}, not ${quoted(value)}`,
  )
}

export interface Listening {
  /** Port that the server listens on; 0 on a Unix socket. */
  readonly port: number
  /** URL of the WebSocket; on a Unix socket in the form of `ws`, `ws+unix:/run/game.sock:/ws`. */
  readonly url: string
}
