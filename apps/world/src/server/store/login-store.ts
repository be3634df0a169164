// Stores renewable log-ins. A log-in is a family of renewal tokens, one per generation; a token is valid once. Must not
// know how a token is written or signed.
//
// Invariants of a family: (1) `generation` is the newest token; (2) `previous` is the token that was exchanged for it,
// and the newest was not presented yet; (3) every other generation is spent. A spent token that is presented ends the
// family, because two holders then have its tokens.
import type { Transaction } from "kysely"
import { isDatabaseDown, retryBusy } from "./busy.ts"
import type { BusyOptions } from "./busy.ts"
import type { WorldDatabase } from "./database.ts"
import type { Tables } from "./tables.ts"

export interface LoginToken {
  readonly family: string
  readonly generation: number
}

/**
 * `repeated`: the answer with this successor was probably lost, or two tabs renewed at once. `kept`: the database
 * accepts no writes, so the token was verified and not exchanged.
 */
export type Renewal =
  | { readonly kind: "renewed" | "repeated" | "kept"; readonly token: LoginToken; readonly playerId: number }
  | { readonly kind: "reused"; readonly playerId: number }
  | { readonly kind: "expired" | "unknown" }

export interface LoginStore {
  /** Begins a family. A player's oldest one ends if there are more than `loginsPerPlayer`. */
  begin(family: string, playerId: number): Promise<LoginToken>
  /** Exchanges a token for its successor. */
  renew(token: LoginToken): Promise<Renewal>
  /** Ends a family; does nothing if it has ended. */
  end(family: string): Promise<void>
}

export interface LoginStoreOptions {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly busy?: BusyOptions
}

const dayMs = 24 * 60 * 60_000
/** A log-in ends after this time without a renewal; 30 days. */
export const loginIdleMs = 30 * dayMs
/** A log-in ends after this time in any case; 90 days. */
const loginMaxMs = 90 * dayMs
/** Within this time the previous token gets the same successor again; 30 s, for tabs that renew at once. */
const repeatMs = 30_000
/** Maximum number of log-ins of one player, one per browser; 20. */
const loginsPerPlayer = 20

export function createLoginStore(db: WorldDatabase, { nowMs, busy = {} }: LoginStoreOptions): LoginStore {
  function change<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    return retryBusy(() => db.transaction().execute(work), busy)
  }

  return {
    begin: (family, playerId) =>
      change((transaction) => begin(transaction, { family, playerId, nowMs: nowMs() })),
    async renew(token) {
      try {
        return await change((transaction) => renew(transaction, token, nowMs()))
      } catch (error) {
        const kept = isDatabaseDown(error) ? await verified(db, token, nowMs()) : undefined
        if (kept === undefined) throw error
        return kept
      }
    },
    end: (family) => change((transaction) => end(transaction, family)),
  }
}

interface NewFamily {
  readonly family: string
  readonly playerId: number
  readonly nowMs: number
}

async function begin(
  transaction: Transaction<Tables>,
  { family, playerId, nowMs }: NewFamily,
): Promise<LoginToken> {
  await transaction.deleteFrom("logins").where("expires_at_ms", "<=", nowMs).execute()
  const others = await transaction
    .selectFrom("logins")
    .select("family")
    .where("player_id", "=", playerId)
    .orderBy("rotated_at_ms", "desc")
    .execute()
  for (const oldest of others.slice(loginsPerPlayer - 1)) await end(transaction, oldest.family)
  const row = {
    family,
    player_id: playerId,
    generation: 1,
    previous: null,
    rotated_at_ms: nowMs,
    expires_at_ms: nowMs + loginIdleMs,
    created_at_ms: nowMs,
  }
  await transaction.insertInto("logins").values(row).execute()
  return { family, generation: 1 }
}

async function renew(
  transaction: Transaction<Tables>,
  { family, generation }: LoginToken,
  nowMs: number,
): Promise<Renewal> {
  const row = await transaction
    .selectFrom("logins")
    .selectAll()
    .where("family", "=", family)
    .executeTakeFirst()
  if (row === undefined) return { kind: "unknown" }
  const { player_id: playerId, generation: newest } = row
  if (row.expires_at_ms <= nowMs) {
    await end(transaction, family)
    return { kind: "expired" }
  }
  if (generation !== newest && generation !== row.previous) {
    await end(transaction, family)
    return { kind: "reused", playerId }
  }
  if (generation === row.previous && nowMs - row.rotated_at_ms < repeatMs)
    return { kind: "repeated", token: { family, generation: newest }, playerId }
  // For a previous token: its successor was lost in transit, and is spent after this exchange.
  const columns = {
    generation: newest + 1,
    previous: generation,
    rotated_at_ms: nowMs,
    expires_at_ms: Math.min(nowMs + loginIdleMs, row.created_at_ms + loginMaxMs),
  }
  await transaction.updateTable("logins").set(columns).where("family", "=", family).execute()
  return { kind: "renewed", token: { family, generation: newest + 1 }, playerId }
}

/** Verifies without writing. Returns undefined for a token that is not the newest of a log-in. */
async function verified(db: WorldDatabase, token: LoginToken, nowMs: number): Promise<Renewal | undefined> {
  const row = await db
    .selectFrom("logins")
    .select("player_id")
    .where("family", "=", token.family)
    .where("generation", "=", token.generation)
    .where("expires_at_ms", ">", nowMs)
    .executeTakeFirst()
  return row === undefined ? undefined : { kind: "kept", token, playerId: row.player_id }
}

async function end(transaction: Transaction<Tables>, family: string): Promise<void> {
  await transaction.deleteFrom("logins").where("family", "=", family).execute()
}
