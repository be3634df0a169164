// A port for a server that stops and starts again while clients dial it.
import { once } from "node:events"
import { createServer } from "node:net"

/** Returns a free port below the system's ephemeral ports: no outgoing connection takes it between two starts. */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  const probe = createServer()
  try {
    await once(probe.listen(port, "127.0.0.1"), "listening")
    return port
  } catch {
    return await freePort()
  } finally {
    probe.close()
  }
}
