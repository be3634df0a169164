// `npm run dev`: the world's server from source, restarted on every change, beside Vite's dev server for the browser.
// When one of the two ends, or on Ctrl-C, both end.
import { spawn } from "node:child_process"
import { endWithParent, ensureInstalled, env, root, world } from "./prepare.mjs"

endWithParent()
ensureInstalled()

const stdio = [process.stdin.isTTY ? "inherit" : "ignore", "inherit", "inherit"]
const shell = process.platform === "win32"
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "apps/world/src/server/main.ts"]
const children = [
  spawn(process.execPath, ["--watch", ...fromSource], { cwd: root, env, stdio }),
  spawn("vite", { cwd: world, env, stdio, shell }),
]

let stopping = false
function stop(exitCode) {
  if (stopping) return
  stopping = true
  process.exitCode = exitCode
  for (const child of children) child.kill("SIGTERM")
}

for (const child of children) {
  child.once("error", () => stop(1))
  child.once("exit", (code) => stop(code ?? 1))
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0))
