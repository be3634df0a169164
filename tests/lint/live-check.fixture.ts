// Keeps the rule: the type says that the value can be absent.
export function lengthOf(value: string | undefined): number {
  if (value !== undefined) return value.length
  return 0
}
