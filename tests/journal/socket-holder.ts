// A parent process that keeps a listening socket (descriptor 3) and passes it to one server after another, as systemd does:
// node socket-holder.ts FOLDER. Messages: "start" → "listening PORT SESSIONS"; a signal, for example "SIGKILL" → "exited CODE".
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"

let child: ChildProcess | undefined

function start(): void {
  const program = join(import.meta.dirname, "echo-server.ts")
  const flags = ["--conditions=@hawser/source", "--import", "tsx"]
  const command = [process.execPath, ...flags, program, process.argv[2] ?? ""]
  // The process id is known after the fork, so the shell sets it.
  const args = ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", ...command]
  const started = spawn("sh", args, { stdio: ["ignore", "pipe", "inherit", 3] })
  child = started
  started.stdout?.on("data", (printed) => void process.send?.(String(printed).trim()))
  started.once("exit", (code) => void process.send?.(`exited ${code}`))
}

process.on("message", (message) => {
  if (message === "start") start()
  else if (message === "SIGKILL" || message === "SIGTERM") child?.kill(message)
})
process.on("disconnect", () => {
  child?.kill("SIGKILL")
  process.exit()
})
