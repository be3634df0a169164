// Hooks that the other ones are made of.
import { useLayoutEffect, useRef, useSyncExternalStore } from "react"
import type { RefObject } from "react"
import type { Contract } from "@hawser/client"
import type { CoreClient } from "@hawser/client/core"
import { isLive } from "./stays.ts"

/** Returns a reference to the value of the last committed render. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value)
  useLayoutEffect(() => {
    latest.current = value
  })
  return latest
}

/** Returns true while the client accepts requests. On a server: false. */
export function useLive({ stores }: CoreClient<Contract>): boolean {
  const { status } = stores
  return useSyncExternalStore(
    status.subscribe,
    () => isLive(status.snapshot()),
    () => false,
  )
}
