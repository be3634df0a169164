// Finds the listening socket that systemd has passed to this process (socket activation, sd_listen_fds(3)).
import { quoted } from "@hawser/protocol/core"
import type { ListenOptions } from "./listening.ts"

/** Descriptor of the first passed socket. */
const firstFd = 3

/**
 * Returns the options of `listen` for the socket that systemd has passed to this process, or undefined without one: variables of
 * another process (`LISTEN_PID`), which a child of npm gets, do not count.
 *
 *     await server.listen(systemdSocket(process.env) ?? { port: 8080 })
 *
 * @param environment variables of this process. @throws Error if systemd has passed more than one socket.
 */
export function systemdSocket(
  environment: Readonly<Record<string, string | undefined>>,
): ListenOptions | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment
  if (pid !== String(process.pid) || count === undefined || count === "0") return undefined
  if (count === "1") return { fd: firstFd }
  throw new Error(
    `systemd has passed ${quoted(count)} sockets (LISTEN_FDS; names ${quoted(names)}), and systemdSocket(process.env) is for one: ` +
      `call listen({ fd }) for each of them, from fd ${firstFd} on`,
  )
}
