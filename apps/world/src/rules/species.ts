// Display names of species. Pure.

export function speciesName(species: string): string {
  return species.charAt(0).toUpperCase() + species.slice(1)
}
