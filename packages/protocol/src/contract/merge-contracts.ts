// Merges two contracts into one, for an application whose parts declare their own messages. Must not know frames or sessions.
import { defineContract } from "./contract.ts"
import type { Contract, DefinedContract } from "./contract.ts"

/** Keys of all parts of a contract, errors included. */
type KeysOf<T extends Contract> =
  | keyof T["commands"]
  | keyof T["queries"]
  | keyof T["events"]
  | keyof T["streams"]
  | keyof T["replicas"]
  | keyof T["topics"]
  | keyof T["errors"]

/** Type that no contract has; the compiler's error shows the keys. */
interface DeclaredTwice<Keys> {
  /** The keys of both contracts. */
  readonly declaredTwice: Keys
}

/** Type of a second contract without a key of the first one. */
type Disjoint<A extends Contract, B extends Contract> = KeysOf<A> & KeysOf<B> extends never
  ? unknown
  : DeclaredTwice<KeysOf<A> & KeysOf<B>>

/**
 * Returns the contract with the parts of both, under the name of the first. Merge its result again for more than two.
 * @throws TypeError for a key that both declare. Such a key does not compile either.
 */
export function mergeContracts<A extends Contract, B extends Contract>(
  first: A,
  second: B & Disjoint<A, B>,
): DefinedContract<
  A["commands"] & B["commands"],
  A["queries"] & B["queries"],
  A["events"] & B["events"],
  A["streams"] & B["streams"],
  A["replicas"] & B["replicas"],
  A["topics"] & B["topics"],
  A["errors"] & B["errors"]
>
export function mergeContracts(first: Contract, second: Contract): Contract {
  const both = <Spec>(
    ones: Readonly<Record<string, Spec>>,
    others: Readonly<Record<string, Spec>>,
  ): Record<string, Spec> => {
    const twice = Object.keys(others).find((key) => Object.hasOwn(ones, key))
    if (twice === undefined) return { ...ones, ...others }
    throw new TypeError(`contracts "${first.name}" and "${second.name}": both declare "${twice}"`)
  }
  return defineContract({
    name: first.name,
    commands: both(first.commands, second.commands),
    queries: both(first.queries, second.queries),
    events: both(first.events, second.events),
    streams: both(first.streams, second.streams),
    replicas: both(first.replicas, second.replicas),
    topics: both(first.topics, second.topics),
    errors: both(first.errors, second.errors),
  })
}
