// Payload types of the server's events.
import type { world } from "../contract.ts"
import type { EventName, ValidPayload } from "@hawser/protocol"

export type EventPayloads = { readonly [K in EventName<typeof world>]: ValidPayload<typeof world, K> }
