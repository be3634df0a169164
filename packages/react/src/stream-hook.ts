// The hook of streams.
import { useCallback, useEffect, useMemo, useState } from "react"
import type { Contract } from "@hawser/client"
import type { CoreClient, StreamMethods } from "@hawser/client/core"
import { useLatest, useLive } from "./basic-hooks.ts"
import type { StreamHooks } from "./hooks-api.ts"
import { isClosedOnPurpose } from "./stays.ts"

type StreamClient = CoreClient<Contract> & StreamMethods<Contract>

interface Progress {
  /** Reading of these items. A new one begins with each input. */
  readonly reading: object
  readonly items: readonly unknown[]
  readonly done: boolean
  readonly error: unknown
}

/** Most items by default. */
const defaultSize = 100

export function streamHooks(useClient: () => StreamClient): StreamHooks<Contract> {
  return {
    useStream(name, input, options = {}) {
      const { size = defaultSize, ...streamOptions } = options
      if (!Number.isInteger(size) || size < 1)
        throw new RangeError(`the size of useStream is a whole number of items above 0, not ${size}`)
      const client = useClient()
      const live = useLive(client)
      const [round, setRound] = useState(0)
      const restart = useCallback(() => setRound((now) => now + 1), [])
      const key = JSON.stringify([input, streamOptions], withBigInts)
      // Equal inputs are one input.
      const reading = useMemo(() => ({ readsError: false }), [client, name, key, round])
      const [progress, setProgress] = useState<Progress>(() => begun(reading))
      const latest = useLatest({ input, size, streamOptions })
      useEffect(() => {
        if (name === null || !live) return
        const leave = new AbortController()
        const { signal } = leave
        const set = (change: (now: Progress) => Progress): void =>
          setProgress((now) =>
            signal.aborted ? now : change(now.reading === reading ? now : begun(reading)),
          )
        const read = async (): Promise<void> => {
          const { input, size, streamOptions } = latest.current
          set(() => begun(reading))
          for await (const item of client.stream(name, input, { ...streamOptions, signal }))
            set((now) => ({ ...now, items: [...now.items, item].slice(-size) }))
          set((now) => ({ ...now, done: true }))
        }
        read().catch((error: unknown) => {
          if (signal.aborted) return
          // After a log-in with another token the stream begins again; a closed client opens it when it is connected again.
          if (isClosedOnPurpose(error)) return restart()
          set((now) => ({ ...now, error }))
          if (!reading.readsError) throw error
        })
        return () => leave.abort()
      }, [client, name, live, reading, latest, restart])
      const shown = progress.reading === reading ? progress : begun(reading)
      return {
        items: shown.items,
        done: shown.done,
        get error() {
          reading.readsError = true
          return shown.error
        },
        restart,
      }
    },
  }
}

function begun(reading: object): Progress {
  return { reading, items: [], done: false, error: undefined }
}

function withBigInts(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value
}
