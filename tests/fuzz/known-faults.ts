// Faults of the product that this fuzz has found and that are not mended yet. Whoever mends one deletes its entry here;
// the fuzz test fails while an entry is here whose input in corpus.json does no harm any more.

interface KnownFault {
  /** What the checks say about it. */
  readonly pattern: RegExp
  readonly what: string
}

export const knownFaults: readonly KnownFault[] = []
