// A setting that is well formed and turns out to be of no use: a file that cannot be opened, a port that is taken.

/** `problem` names the variable; the reason comes from whatever failed. */
export class UnusableSetting extends Error {
  override readonly name = "UnusableSetting"

  constructor(problem: string, cause: unknown) {
    super(`${problem} (${cause instanceof Error ? cause.message : String(cause)}); set another.`, { cause })
  }
}
