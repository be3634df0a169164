// Breaks each rule of words on purpose.

// What a comment of lines begins with,
// over two lines.
export const first = 1

/** Who may join. */
export const second = 2

/**
 * Returns the member list.
 *
 * Whoever joined last comes first.
 * - that which is a list item
 * @returns what the server sent.
 * @param what name of a value: no fault, because this is a name.
 */
export const third = (what: string): string => what

// The rule. S1: What a rule says.
// The client is told, clients are told, and it was
// told twice.

/* The connection of now. */
// An answer for whoever asks; nobody asks. A cause brings about
// an effect. Causes bring about effects.

// No fault: whatever, somewhat, somebody, `nobody`, "is `told`", nowhere of nowhere.
export function nobody(whoever: string): void {
  const what = "nobody"
  if (whoever === what) throw new Error("the queue of now is full")
  throw new Error(`no room for ${whoever}, and nobody waits`)
}

it("is told of the end", () => {})
it("sends `nobody` and What it likes", () => {})
