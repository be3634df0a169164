// Starts the two kinds of checks on a copy and returns their findings: seeds of the simulator, and files of tests.
import { fork, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFile, rm } from "node:fs/promises"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { repository } from "./copy.ts"
import { huntMessage, testReport } from "./messages.ts"

/** `broken`: the check could not run, which proves nothing. */
export type Finding =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly seed: number; readonly by: string; readonly text: string }
  | { readonly kind: "broken"; readonly text: string }

export interface Seeds {
  readonly first: number
  readonly count: number
  readonly steps: number
}

/** A seed takes less than a second; one that takes this long has met an endless loop. */
const seedTimeoutMs = 120_000
const testsTimeoutMs = 240_000
const huntPath = relative(repository, fileURLToPath(new URL("./hunt.ts", import.meta.url)))
const fromSource = ["--max-semi-space-size=32", "-C", "@hawser/source", "--import", "tsx"]
const running = new Set<ChildProcess>()

/** All child processes end with this process. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL")
}

function watched<T extends ChildProcess>(child: T): T {
  running.add(child)
  child.on("exit", () => running.delete(child))
  return child
}

/** Runs seeds, one after the other, until one fails. */
export function huntIn(root: string, { first, count, steps }: Seeds): Promise<Finding> {
  const words = [first, count, steps].map(String)
  const child = watched(
    fork(join(root, huntPath), words, {
      cwd: root,
      execArgv: fromSource,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    }),
  )
  return new Promise((resolve) => {
    let isReady = false
    let seed = first
    let errors = ""
    const end = (finding: Finding): void => {
      clearTimeout(timer)
      child.kill("SIGKILL")
      resolve(finding)
    }
    const timer = setTimeout(() => {
      end(
        isReady
          ? { kind: "failed", seed, by: "endless", text: "a loop" }
          : { kind: "broken", text: "does not start" },
      )
    }, seedTimeoutMs)
    child.stderr?.on("data", (data: Buffer) => (errors += data.toString()))
    child.on("message", (data: unknown) => {
      timer.refresh()
      const message = huntMessage.parse(data)
      if (message.kind === "ready") isReady = true
      else if (message.kind === "passed") seed = message.seed + 1
      else end(failure(message))
    })
    child.on("exit", (code, signal) => {
      if (seed === first + count && code === 0) end({ kind: "passed" })
      else if (signal === "SIGKILL") end({ kind: "broken", text: "the process was killed" })
      else if (isReady) end(failure({ seed, invariant: "crash", text: lastLines(errors) }))
      else end({ kind: "broken", text: lastLines(errors) })
    })
  })
}

/**
 * A ReferenceError or SyntaxError is a fault of the mutant's text, and no proof that a check would notice the mistake.
 */
function failure(found: {
  readonly seed: number
  readonly invariant: string
  readonly text: string
}): Finding {
  const { seed, invariant, text } = found
  if (/\b(Reference|Syntax)Error\b/.test(text)) return { kind: "broken", text }
  return { kind: "failed", seed, by: invariant, text }
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-12).join("\n")
}

/** Runs files of tests until one test fails. */
export async function testIn(root: string, files: readonly string[]): Promise<Finding> {
  const reportPath = join(root, "report.json")
  await rm(reportPath, { force: true })
  const words = [
    "run",
    "--root",
    root,
    "--bail",
    "1",
    "--reporter",
    "json",
    "--outputFile",
    reportPath,
    ...files,
  ]
  const child = watched(
    spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...words], {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
    }),
  )
  let errors = ""
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()))
  const timeout = { isOver: false }
  const timer = setTimeout(() => {
    timeout.isOver = true
    child.kill("SIGKILL")
  }, testsTimeoutMs)
  const how: readonly unknown[] = await once(child, "exit")
  clearTimeout(timer)
  if (timeout.isOver) return { kind: "failed", seed: 0, by: files.join(", "), text: "a loop" }
  const ended = `the tests ended with ${how.join(" ")}: ${lastLines(errors)}`
  return reported(await readFile(reportPath, "utf8").catch(() => ""), ended)
}

function reported(json: string, ended: string): Finding {
  if (json === "") return { kind: "broken", text: ended }
  const { success, testResults } = testReport.parse(JSON.parse(json))
  if (success) return { kind: "passed" }
  for (const { assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed")
    if (failed !== undefined) return { kind: "failed", seed: 0, by: failed.fullName, text: "" }
  }
  return { kind: "broken", text: testResults.map(({ message }) => message).join("\n") || ended }
}
