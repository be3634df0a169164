import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { startChild } from "../browsers/child.ts"
import { eventually } from "./eventually.ts"
import { missingProgram } from "./proxy-kind.ts"
import type { ProxyKind } from "./proxy-kind.ts"

/** Debian's place, which is not on the path of every user. */
const program = existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx"

export const nginx: ProxyKind = {
  name: "nginx",
  configuration: "nginx.conf",
  missing: () => (existsSync(program) ? undefined : missingProgram("nginx", "-v")),
  placed: ({ folder, ports, backend }) => [
    ["pid /run/nginx.pid;", `pid ${folder}/nginx.pid;`],
    ["error_log /var/log/nginx/error.log warn;", "error_log stderr warn;"],
    ["access_log /var/log/nginx/access.log;", "access_log off;"],
    ["server 127.0.0.1:8080;", `server ${backend};`],
    ["listen 80;", `listen 127.0.0.1:${ports.plain};`],
    ["listen 443 ssl;", `listen 127.0.0.1:${ports.secure} ssl;`],
    ["/etc/ssl/world/certificate.pem", `${folder}/certificate.pem`],
    ["/etc/ssl/world/key.pem", `${folder}/key.pem`],
  ],
  start: ({ path }) =>
    startChild(program, ["-c", path, "-e", "stderr", "-g", "daemon off;"], {
      stdio: ["ignore", "ignore", "pipe"],
    }),
  async reload({ path }, running) {
    const { pid } = running.process
    const before = workersOf(pid)
    execFileSync(program, ["-c", path, "-e", "stderr", "-s", "reload"], { stdio: "ignore" })
    // The master starts new workers first, then ends the old ones.
    await eventually(() => workersOf(pid).some((worker) => !before.includes(worker)))
    return running
  },
  absentStatus: 502,
  idle: (seconds) => `proxy_read_timeout ${seconds}s;`,
  outlives: (seconds) => `worker_shutdown_timeout ${seconds}s;`,
  hostless: [
    {
      how: "without the header Host",
      edit: ["proxy_set_header Host $http_host;", "# no Host"],
    },
    {
      how: "with `Host $host` on another port",
      edit: ["proxy_set_header Host $http_host;", "proxy_set_header Host $host;"],
    },
  ],
}

function workersOf(pid: number | undefined): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean)
}
