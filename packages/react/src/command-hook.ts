// The hook of commands.
import { useMemo, useState } from "react"
import type { Contract } from "@hawser/client"
import type { CoreClient } from "@hawser/client/core"
import type { CommandHook, CoreHooks } from "./hooks-api.ts"

interface Runs {
  readonly pendingCount: number
  /** Number of the latest run. */
  readonly latest: number
  readonly error: unknown
}

const noRuns: Runs = { pendingCount: 0, latest: 0, error: undefined }

export function commandHook(
  useClient: () => CoreClient<Contract>,
): CoreHooks<Contract, unknown>["useCommand"] {
  return (name) => {
    const client = useClient()
    const [runs, setRuns] = useState(noRuns)
    const command = useMemo(() => {
      let latest = 0
      const own = { readsError: false }
      const end = (number: number, error: unknown): void =>
        setRuns((now) => ({
          ...now,
          pendingCount: now.pendingCount - 1,
          error: number === now.latest ? error : now.error,
        }))
      const run: CommandHook<Contract, string>["run"] = (...args) => {
        latest += 1
        const number = latest
        setRuns((now) => ({ pendingCount: now.pendingCount + 1, latest: number, error: undefined }))
        const outcome = client.command(name, ...args).then(
          (output) => (end(number, undefined), output),
          (error: unknown) => {
            end(number, error)
            throw error
          },
        )
        // The component shows the error, so a caller need not handle the rejection.
        if (own.readsError) outcome.catch(() => {})
        return outcome
      }
      return { own, run }
    }, [client, name])
    const { own, run } = command
    return {
      run,
      pending: runs.pendingCount > 0,
      get error() {
        own.readsError = true
        return runs.error
      },
    }
  }
}
