// Programs that tests start: each ends with its test, or at the latest with the test run.
import { spawn } from "node:child_process"
import type { ChildProcess, SpawnOptions } from "node:child_process"
import { once } from "node:events"

export interface Child {
  readonly process: ChildProcess
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
  /** Ends the process by SIGTERM. Idempotent. */
  stop(): Promise<void>
}

export function startChild(command: string, args: readonly string[], options: SpawnOptions): Child {
  const child = spawn(command, args, options)
  const killWithUs = (): void => void child.kill("SIGKILL")
  process.once("exit", killWithUs)
  const ended = once(child, "close").then(() => void process.off("exit", killWithUs))
  return {
    process: child,
    ended,
    async stop() {
      child.kill()
      await ended
    },
  }
}
