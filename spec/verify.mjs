// Builds one verifier from a model with spin and a C compiler, in a temporary folder, and runs it to completion.
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const memoryMiB = 4096
const deepestStep = 10_000

const call = (command, args, cwd) =>
  spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
const exists = (command) => call(command, ["-V"]).error === undefined
const compiler = ["gcc", "cc"].find(exists)

export const toolsFound = exists("spin") && compiler !== undefined

/**
 * `settings` are macros of the model. With `endless`, any cycle is an error; otherwise assertions and end states are checked.
 * `complete` is true only if every reachable state was visited, none was left out, and no error was found.
 */
export function verify(model, { settings, endless = false, optimise = true }) {
  const cwd = mkdtempSync(join(tmpdir(), "hawser-model-"))
  try {
    copyFileSync(new URL(`${model}.pml`, import.meta.url), join(cwd, `${model}.pml`))
    const startedMs = performance.now()
    const search = endless ? "-DNP" : "-DSAFETY"
    const flags = [optimise ? "-O2" : "-O0", "-w", `-DMEMLIM=${memoryMiB}`, "-DNOREDUCE", search]
    const steps = [
      call("spin", ["-a", ...settings.map((setting) => `-D${setting}`), `${model}.pml`], cwd),
      call(compiler, [...flags, "-o", "pan", "pan.c"], cwd),
    ]
    const failed = steps.find(({ status }) => status !== 0)
    if (failed !== undefined)
      throw new Error(`${model} ${settings.join(" ")}: ${failed.stdout}${failed.stderr}`)
    const table = optimise ? "-w24" : "-w20"
    const { stdout } = call(join(cwd, "pan"), [`-m${deepestStep}`, table, ...(endless ? ["-l"] : [])], cwd)
    return {
      violation: /^pan:1: (.*?) \(at depth/m.exec(stdout)?.[1],
      complete: /errors: 0$/m.test(stdout) && !/not completed|too small|out of memory/.test(stdout),
      // The end of an endless process is the only statement that may remain unreached.
      idle: (stdout.match(/ state \d+, "(?!-end-)/g) ?? []).length,
      states: Number(/(\d+) states, stored/.exec(stdout)?.[1] ?? 0),
      reached: [...stdout.matchAll(/^reached (\w+)$/gm)].map((match) => match[1]),
      seconds: (performance.now() - startedMs) / 1000,
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}
