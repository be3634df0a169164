// Breaks the rule on purpose: the check can never be false.
export function lengthOf(value: string): number {
  if (value !== undefined) return value.length
  return 0
}
