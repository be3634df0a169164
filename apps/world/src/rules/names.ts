// Reserved names: a player with such a name could pose as the operator of the world. Pure.

/** Words of authority. A name is reserved if it, or a part of it between `_` and `-`, looks like one of them. */
const authorityWords = [
  "server",
  "system",
  "admin",
  "administrator",
  "mod",
  "moderator",
  "root",
  "owner",
  "staff",
  "support",
  "official",
  "operator",
  "sysop",
  "gamemaster",
  "hawser",
  "everyone",
]

/**
 * Characters that look like a letter in the page's font, among those that a name may have (letters, digits, `_`, `-`).
 * Unicode's confusables (UTS #39) need a table of 10,000 rows; for this alphabet these rows are enough.
 */
const lookAlikes: ReadonlyMap<string, string> = new Map([
  ["0", "o"],
  ["1", "l"],
  ["i", "l"],
  ["j", "l"],
  ["2", "z"],
  ["3", "e"],
  ["4", "a"],
  ["5", "s"],
  ["6", "g"],
  ["7", "t"],
  ["8", "b"],
  ["9", "g"],
])

/** Pairs of letters that look like one. */
const pairs: readonly (readonly [pair: string, letter: string])[] = [
  ["rn", "m"],
  ["vv", "w"],
  ["cl", "d"],
]

/** Maps texts that look alike to the same text. */
function skeletonOf(text: string): string {
  let skeleton = ""
  for (const char of text.toLowerCase()) skeleton += lookAlikes.get(char) ?? char
  for (const [pair, letter] of pairs) skeleton = skeleton.replaceAll(pair, letter)
  return skeleton
}

const reserved: ReadonlySet<string> = new Set(authorityWords.map(skeletonOf))

/**
 * Returns true for `server`, `Adm1n`, `Sys-tem`, `the-server`, `TheServer`, `Moderator7`, `ssystem` and similar names.
 */
export function isReservedName(name: string): boolean {
  const parts = name.split(/[_-]+/)
  const words = parts.flatMap((part) => part.split(/(?<=[a-z])(?=[A-Z])/))
  return [...words, ...parts, parts.join("")].some(readsAsAuthority)
}

function readsAsAuthority(text: string): boolean {
  return [text, text.replace(/\d+$/, "")].some((one) => {
    const skeleton = skeletonOf(one)
    return reserved.has(skeleton) || reserved.has(skeleton.replace(/(.)\1+/g, "$1"))
  })
}
