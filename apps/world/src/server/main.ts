// The process: environment, log, signals.
import { fileURLToPath } from "node:url"
import { pino } from "pino"
import { readConfig } from "./config/config.ts"
import { UnusableSetting } from "./config/unusable-setting.ts"
import { startWorld } from "./world-server.ts"

const config = readConfig(process.env)
if ("problems" in config) refuseToStart(config.problems)

const log = pino({ level: config.logLevel })
// The same from `src/server` and from `dist/server`.
const appDir = fileURLToPath(new URL("../..", import.meta.url))
const running = await startWorld({
  config,
  log,
  version: "0.1.0",
  pageDir: `${appDir}/dist/browser`,
  assetsDir: `${appDir}/assets`,
}).catch((error: unknown) => {
  if (error instanceof UnusableSetting) refuseToStart([error.message])
  throw error
})
process.stdout.write(`The world is open: ${running.url}\n`)

let stopping = false
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // A second signal does not wait.
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, "shutting down")
    running.close().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, "the shutdown failed")
        process.exit(1)
      },
    )
  })
}

function refuseToStart(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  process.exit(1)
}
