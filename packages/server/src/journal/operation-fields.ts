// Reads the compound fields of operations, as `OperationWriter` writes them. Must not know the state.
import type { KeptMembership } from "../base/session-page.ts"
import type { KeptClaims } from "../session/life/kept-session.ts"
import type { RecordReader } from "./record-reader.ts"

/** Reads bytes that outlive the journal's segment. */
export function bytesOf(reader: RecordReader): Uint8Array {
  return new Uint8Array(reader.blob())
}

/** Reads a text that may be absent. */
export function optional(reader: RecordReader): string | null {
  return reader.flag() ? reader.text() : null
}

/** Reads the claims of a session. */
export function claimsOf(reader: RecordReader): KeptClaims {
  const generation = reader.count()
  const isConfirmed = reader.flag()
  const lastDial = reader.count()
  const takeoversAtMs = reader.times()
  const windowMs = reader.count()
  const spentMs = reader.count()
  const [detachedAtMs] = reader.times()
  return { generation, isConfirmed, lastDial, takeoversAtMs, windowMs, spentMs, detachedAtMs }
}

/** Reads a membership with its topic. */
export function membershipOf(reader: RecordReader): readonly [topic: string, membership: KeptMembership] {
  const topic = reader.text()
  const member = reader.count()
  const away = reader.flag()
  const isBehind = reader.flag()
  if (!reader.flag()) return [topic, { member, away, isBehind, state: null }]
  const bytes = bytesOf(reader)
  const state = { bytes, depth: reader.count(), elements: reader.count(), longestKeyBytes: reader.count() }
  return [topic, { member, away, isBehind, state }]
}
