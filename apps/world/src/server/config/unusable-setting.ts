// Error for a setting that is well formed but unusable: a file that cannot be opened, a port that is taken.

/** `problem` names the variable; the sentence ends with the message of `cause`. */
export class UnusableSetting extends Error {
  override readonly name = "UnusableSetting"

  constructor(problem: string, cause: unknown) {
    super(`${problem} (${cause instanceof Error ? cause.message : String(cause)}); set another.`, { cause })
  }
}
