// Names of the options of calls, for the methods that take them.
import { assertOptionNames } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import type { CallOptions } from "./requests.ts"

/** Options of a call. `assertCallOptions` and the queue check the values. */
export const callOptions: OptionTable<CallOptions> = {
  signal: "any",
  timeoutMs: "any",
  whenOffline: "any",
  key: "any",
}

/** Returns a TypeError for options with an unknown name; undefined for others. */
export function callOptionFault(name: string, options: unknown): TypeError | undefined {
  try {
    assertOptionNames(`"${name}"`, options, callOptions)
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return error
    throw error
  }
}
