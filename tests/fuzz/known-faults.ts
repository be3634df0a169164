// Known faults of the product that this fuzz has found. The fix of one deletes its entry here. The fuzz test fails
// while an entry's input in corpus.json passes the checks.

interface KnownFault {
  /** Pattern of the violation's text. */
  readonly pattern: RegExp
  readonly what: string
}

export const knownFaults: readonly KnownFault[] = []
