// The type of a sequence of CELLS.
import type { ReplicaSchema } from "@hawser/protocol/core"

/** A replica, and its frames in their order, each with a sentence. */
export interface ReplicaSample {
  readonly name: string
  readonly what: string
  readonly number: number
  readonly schema: ReplicaSchema
  readonly frames: readonly { readonly what: string; readonly bytes: Uint8Array }[]
}
