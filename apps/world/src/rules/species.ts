// What kinds of creatures are called. Pure.

export function speciesName(species: string): string {
  return species.charAt(0).toUpperCase() + species.slice(1)
}
