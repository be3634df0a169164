import { existsSync } from "node:fs"
import { startChild } from "../browsers/child.ts"
import type { Child } from "../browsers/child.ts"
import { missingProgram } from "./proxy-kind.ts"
import type { ProxyKind, ProxyPlace } from "./proxy-kind.ts"
import { accepts } from "./eventually.ts"

/** Debian's place, which is not on the path of every user. */
const program = existsSync("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy"

function run({ path }: ProxyPlace, ...args: readonly string[]): Child {
  return startChild(program, ["-f", path, "-db", ...args], { stdio: ["ignore", "ignore", "pipe"] })
}

export const haproxy: ProxyKind = {
  name: "haproxy",
  configuration: "haproxy.cfg",
  missing: () => (existsSync(program) ? undefined : missingProgram("haproxy", "-v")),
  placed: ({ folder, ports, backend }) => [
    ["bind :80\n", `bind 127.0.0.1:${ports.plain}\n`],
    ["bind :443 ssl", `bind 127.0.0.1:${ports.secure} ssl`],
    ["/etc/ssl/world/both.pem", `${folder}/both.pem`],
    ["server world 127.0.0.1:8080", `server world ${backend}`],
  ],
  start: (place) => run(place),
  async reload(place, running) {
    const successor = run(place, "-sf", String(running.process.pid))
    await accepts(place.ports.plain)
    return successor
  },
  absentStatus: 503,
  idle: (seconds) => `timeout tunnel ${seconds}s`,
  outlives: (seconds) => `hard-stop-after ${seconds}s`,
  hostless: [
    {
      how: "with a Host of its own",
      edit: ["  default_backend world\n", "  http-request set-header Host world\n  default_backend world\n"],
    },
  ],
}
