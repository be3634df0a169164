// Process of the world: environment, log, signals, and uncaught errors.
import { fileURLToPath } from "node:url"
import { readConfig } from "./config/config.ts"
import { UnusableSetting } from "./config/unusable-setting.ts"
import { openWorldLog } from "./log/world-log.ts"
import { createProcessEnd } from "./process-end.ts"
import { recoverySentence } from "./recovery-sentence.ts"
import { startWorld } from "./world-server.ts"

/** Time limit for the last lines of the log if its reader is slow, in milliseconds. */
const lastLinesMs = 1_000

const config = readConfig(process.env)
if ("problems" in config) refuseToStart(config.problems)

const { log, output, complain } = openWorldLog(config.logLevel)
// The same folder from `src/server` and from `dist/server`.
const appDir = fileURLToPath(new URL("../..", import.meta.url))
const running = await startWorld({
  config,
  log,
  lostLogLines: () => output.lostCount,
  version: "0.1.0",
  pageDir: `${appDir}/dist/browser`,
  assetsDir: `${appDir}/assets`,
}).catch((error: unknown) => {
  if (error instanceof UnusableSetting) refuseToStart([error.message])
  throw error
})
const { recovery } = running.server
if (recovery !== undefined) output.write(`${recoverySentence(recovery)}\n`)
output.write(`The world is open: ${running.url}\n`)

const end = createProcessEnd({
  close: () => running.close(),
  save: () => running.save(),
  log,
  complain,
  exit: (code) => void output.flush(lastLinesMs).then(() => process.exit(code)),
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => end.signal(signal))
// Unhandled rejections arrive here too.
process.on("uncaughtException", (error) => end.crash(error))

function refuseToStart(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  process.exit(1)
}
