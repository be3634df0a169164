// Options of TanStack Query for a query of a contract. Must not know TanStack Query: they are a plain object.
import type { CallArguments, Contract, QueryName, ValidOutput } from "@hawser/protocol"
import type { CallOptions } from "./calls/requests.ts"
import type { Client, CoreClient } from "./client-api.ts"

/** Output of a query as TanStack Query keeps it: it refuses undefined, so null takes its place. */
export type QueryData<T> = undefined extends T ? Exclude<T, undefined> | null : T

/** Options of TanStack Query (`useQuery`, `prefetchQuery`, and their like), which may be spread among others. */
export interface QueryOptions<T> {
  /** `hawser`, the name of the query and its input. `["hawser"]` matches the queries of every name. */
  readonly queryKey: readonly ["hawser", name: string, input?: unknown]
  /** Sends the query. The signal cancels it, also at the server. Rejects like `client.query`. */
  readonly queryFn: (context: {
    /** Aborts when the result is no longer needed. */
    readonly signal: AbortSignal
  }) => Promise<QueryData<T>>
}

/**
 * Returns a query's key and function for TanStack Query: `useQuery(queryOptions(client, "look", input))`. The key does not contain the
 * user: clear the cache after a log-in of another one.
 */
export function queryOptions<C extends Contract, K extends QueryName<C>>(
  client: Client<C> | CoreClient<C>,
  name: K,
  ...input: CallArguments<C["queries"][K], never>
): QueryOptions<ValidOutput<C["queries"][K]>>
export function queryOptions(
  client: { readonly query: (name: string, input: unknown, options: CallOptions) => Promise<unknown> },
  name: string,
  input?: unknown,
): QueryOptions<unknown> {
  return {
    queryKey: input === undefined ? ["hawser", name] : ["hawser", name, input],
    queryFn: async ({ signal }) => (await client.query(name, input, { signal })) ?? null,
  }
}
