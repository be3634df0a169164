// What a mutant is: a mistake that somebody could make in the core, as an edit of its source.

/** What stands in `file` exactly once, and what the mistake has in its place. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  /** The mistake, in a sentence. */
  readonly name: string
  /** What it breaks: rules and invariants of docs/protocol.md. */
  readonly breaks: readonly string[]
  readonly edits: readonly Edit[]
  /**
   * Two mistakes of which each alone has no effect, because what the other one takes away stands behind it: why that
   * is so. The edits are both of them.
   */
  readonly pair?: string
  /** Tests that notice what the simulator cannot see, and why it cannot. */
  readonly killedBy?: { readonly tests: readonly string[]; readonly because: string }
}

/** The source with the mistakes made. Throws when one no longer fits: then it has to be written anew. */
export function applied(source: string, edits: readonly Pick<Edit, "find" | "replace">[]): string {
  return edits.reduce((text, { find, replace }) => {
    const parts = text.split(find)
    if (parts.length !== 2 || find === replace)
      throw new Error(`stands in the file ${parts.length - 1} times instead of once:\n${find}`)
    return parts.join(replace)
  }, source)
}

/** The edits of each file that a mutant touches. */
export function byFile({ edits }: Mutant): ReadonlyMap<string, readonly Edit[]> {
  const files = new Map<string, Edit[]>()
  for (const edit of edits) files.set(edit.file, [...(files.get(edit.file) ?? []), edit])
  return files
}
