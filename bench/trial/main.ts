// One trial: one scenario against one server, in a fresh pair of processes. Sends its measurements to its parent.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { scenarios } from "../scenarios.ts"
import { hawserOf, servers } from "../servers.ts"
import { ServerProcess } from "./server-process.ts"
import { secret } from "./tokens.ts"
import { trialSettings } from "./settings.ts"
import { Trial } from "./trial.ts"

// Without a parent the figures have no reader. The server ends with this process, because it watches the channel.
process.on("disconnect", () => process.exit(1))

const settings = trialSettings.parse(JSON.parse(process.argv[2] ?? "{}"))
const scenario = scenarios.find(({ name }) => name === settings.scenario)
const entry =
  settings.checkout === undefined
    ? servers.find(({ name }) => name === settings.server)
    : hawserOf(settings.checkout)
if (scenario === undefined || entry === undefined) throw new Error("unknown scenario or server")

const folder = mkdtempSync(join(tmpdir(), "hawser-bench-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
const server = await ServerProcess.start({
  entry,
  settings: { secret, purpose: scenario.purpose, playerCount: scenario.playerCount, folder },
  pin: settings.pinServer,
  ...(settings.profileDirectory === undefined ? {} : { profileDirectory: settings.profileDirectory }),
})
const trial = new Trial(server, entry, settings.pinServer.length > 0)
const measurements = await scenario.run(trial, { quick: settings.quick }).catch((error: unknown) => {
  // A lost connection explains more than the failed wait.
  trial.check()
  throw error
})
trial.check()
await trial.end()
process.send?.(measurements, () => process.exit(0))
