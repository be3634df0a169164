// Runs one trial in separate processes and waits for its measurements.
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import type { Measurement } from "./scenarios/scenario.ts"
import { trialResult } from "./trial/settings.ts"
import type { TrialSettings } from "./trial/settings.ts"

const program = fileURLToPath(new URL("trial/main.ts", import.meta.url))
const timeoutMs = 240_000
const errorTextMax = 20_000

/** Prefix of a command that pins its process to a core. */
export interface Pins {
  readonly server: readonly string[]
  readonly load: readonly string[]
}

/** The server on one core and the load on another, where the system can do that. */
export function choosePins(): Pins {
  const canPin = availableParallelism() >= 2 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0
  return canPin ? { server: ["taskset", "-c", "0"], load: ["taskset", "-c", "1"] } : { server: [], load: [] }
}

/** @throws an error with the trial's message if the trial failed. */
export async function runTrial(settings: TrialSettings, pins: Pins): Promise<readonly Measurement[]> {
  const words = [...pins.load, process.execPath, "--import", "tsx", program, JSON.stringify(settings)]
  const [command = "", ...rest] = words
  const child = spawn(command, rest, { stdio: ["ignore", "ignore", "pipe", "ipc"] })
  let measured: unknown
  let errors = ""
  child.on("message", (message) => (measured = message))
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < errorTextMax) errors += text
  })
  const timer = setTimeout(() => {
    errors = `Error: the trial took longer than ${timeoutMs / 1000} s\n${errors}`
    child.kill("SIGKILL")
  }, timeoutMs)
  const closed: unknown[] = await once(child, "close")
  clearTimeout(timer)
  const [code] = closed
  const parsed = trialResult.safeParse(measured)
  if (code !== 0 || !parsed.success) throw new Error(reasonIn(errors) ?? `ended with code ${String(code)}`)
  return parsed.data
}

/** Node prints an uncaught error below the line that threw it. */
function reasonIn(errors: string): string | undefined {
  return errors
    .split("\n")
    .find((line) => /^(?:\w*Error\b|error:)/.test(line.trim()))
    ?.trim()
}
