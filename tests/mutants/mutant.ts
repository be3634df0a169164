// A mutant: a plausible mistake in the core, as an edit of its source.

/** A text that occurs in `file` exactly once, and its replacement with the mistake. */
export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  /** The mistake, in a sentence. */
  readonly name: string
  /** Broken rules and invariants of docs/protocol.md. */
  readonly breaks: readonly string[]
  readonly edits: readonly Edit[]
  /**
   * Reason why each of two mistakes alone has no effect: the other place still prevents the fault. The edits are both
   * mistakes.
   */
  readonly pair?: string
  /** Tests that kill a mutant which the simulator cannot, and the reason why it cannot. */
  readonly killedBy?: { readonly tests: readonly string[]; readonly because: string }
}

/** The source with the mistakes made. Throws if one no longer fits: then the mutant must be rewritten. */
export function applied(source: string, edits: readonly Pick<Edit, "find" | "replace">[]): string {
  return edits.reduce((text, { find, replace }) => {
    const parts = text.split(find)
    if (parts.length !== 2 || find === replace)
      throw new Error(`the text occurs ${parts.length - 1} times in the file instead of once:\n${find}`)
    return parts.join(replace)
  }, source)
}

/** The edits of each file that a mutant touches. */
export function byFile({ edits }: Mutant): ReadonlyMap<string, readonly Edit[]> {
  const files = new Map<string, Edit[]>()
  for (const edit of edits) files.set(edit.file, [...(files.get(edit.file) ?? []), edit])
  return files
}
