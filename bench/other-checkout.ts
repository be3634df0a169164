// Another checkout of this repository, whose server is measured beside that of this checkout. It runs from its own
// files and is installed and built there by its own scripts.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { UnusableArguments } from "./arguments.ts"

const ownRoot = fileURLToPath(new URL("..", import.meta.url))

/** @throws UnusableArguments when there is no checkout, or when it cannot be built. */
export function prepareCheckout(path: string): void {
  if (!existsSync(join(path, "bench/servers/hawser.ts")))
    throw new UnusableArguments(`--against: there is no checkout with a benchmark in ${path}`)
  const { status } = spawnSync(process.execPath, ["scripts/prepare.mjs", "build"], {
    cwd: path,
    stdio: ["ignore", "inherit", "inherit"],
  })
  if (status !== 0) throw new UnusableArguments(`--against: the checkout in ${path} cannot be built`)
}

/** Its commit, with a plus sign if files differ from it; "unknown" without Git. */
export function commitOf(path = ownRoot): string {
  const { stdout } = spawnSync("git", ["-C", path, "describe", "--always", "--dirty=+", "--exclude=*"], {
    encoding: "utf8",
  })
  // Null where there is no Git.
  return typeof stdout === "string" && stdout !== "" ? stdout.trim() : "unknown"
}
