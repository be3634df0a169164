// Facts about the machine, the system and the versions of a run. Figures without them cannot be compared.
import { readFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, release, type } from "node:os"
import { z } from "zod"
import { commitOf } from "./other-checkout.ts"
import { servers } from "./servers.ts"

export interface Machine {
  readonly system: string
  readonly processor: string
  readonly cores: number
  readonly node: string
  /** Commits of this checkout and of the one that it is compared with. */
  readonly commit: string
  readonly otherCommit: string | undefined
  /** Load average over the last minute at the start of the run; other work on the machine widens every spread. */
  readonly loadAverage: number
  /** Version by package. */
  readonly versions: Readonly<Record<string, string>>
}

const manifest = z.object({ version: z.string() })

/** Peers have their own modules; Hawser's packages are in the workspace. */
function versionOf(name: string): string {
  for (const directory of ["peers/node_modules", "../node_modules"]) {
    try {
      const url = new URL(`${directory}/${name}/package.json`, import.meta.url)
      return manifest.parse(JSON.parse(readFileSync(url, "utf8"))).version
    } catch {
      // Not there: try the next path.
    }
  }
  return "not installed"
}

/** @param against directory of another checkout. */
export function describeMachine(against: string | undefined): Machine {
  const names = [...new Set(servers.flatMap(({ packages }) => packages))].sort()
  return {
    system: `${type()} ${release()}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    commit: commitOf(),
    otherCommit: against === undefined ? undefined : commitOf(against),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    versions: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
  }
}
