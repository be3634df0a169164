import type { SpawnOptions } from "node:child_process"
import { startChild } from "../browsers/child.ts"
import { missingProgram } from "./proxy-kind.ts"
import type { ProxyKind, ProxyPlace } from "./proxy-kind.ts"

/** Caddy stores its files in the folder of the test. */
function options({ folder }: ProxyPlace): SpawnOptions {
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return { stdio: ["ignore", "ignore", "pipe"], env }
}

export const caddy: ProxyKind = {
  name: "caddy",
  configuration: "Caddyfile",
  missing: () => missingProgram("caddy", "version"),
  placed: ({ folder, ports, backend }) => [
    ["admin 127.0.0.1:2019", `admin 127.0.0.1:${ports.admin}`],
    ["reverse_proxy 127.0.0.1:8080", `reverse_proxy ${backend}`],
    ["\n:80 {", `\n:${ports.plain} {`],
    ["\n:443 {", `\n:${ports.secure} {`],
    ["/etc/ssl/world/certificate.pem", `${folder}/certificate.pem`],
    ["/etc/ssl/world/key.pem", `${folder}/key.pem`],
  ],
  start: (place) =>
    startChild("caddy", ["run", "--config", place.path, "--adapter", "caddyfile"], options(place)),
  async reload(place, running) {
    // The file has not changed; --force reads it all the same.
    const args = ["--config", place.path, "--adapter", "caddyfile", "--force"]
    const admin = ["--address", `127.0.0.1:${place.ports.admin}`]
    const { process: child, ended } = startChild("caddy", ["reload", ...args, ...admin], options(place))
    child.stderr?.resume()
    await ended
    if (child.exitCode !== 0) throw new Error(`caddy reload ended with ${child.exitCode}`)
    return running
  },
  absentStatus: 502,
  idle: undefined,
  outlives: undefined,
  hostless: [
    {
      how: "with the server's address as Host",
      edit: [
        "\treverse_proxy 127.0.0.1:8080\n",
        "\treverse_proxy 127.0.0.1:8080 {\n\t\theader_up Host {upstream_hostport}\n\t}\n",
      ],
    },
  ],
}
