// Who comes and goes, as lines of the chat: by name while there are few of them, as a number when there are many.
import type { NewChatLine } from "./chat-log.ts"

/** Names that are told within a time of `togetherMs`; who comes after them is counted. */
const namesMax = 4
const togetherMs = 3_000

export interface Comings {
  tell(username: string, verb: "joined" | "left"): void
}

export function createComings(addTo: (line: Omit<NewChatLine, "atMs">) => void): Comings {
  const told = { joined: 0, left: 0 }
  return {
    tell(username, verb) {
      told[verb] += 1
      if (told[verb] <= namesMax) addTo({ kind: "system", text: `${username} has ${verb}` })
      if (told[verb] === 1) setTimeout(() => sum(verb), togetherMs)
    },
  }

  function sum(verb: "joined" | "left"): void {
    const more = told[verb] - namesMax
    told[verb] = 0
    if (more > 0) addTo({ kind: "system", text: `${more} more ${more === 1 ? "has" : "have"} ${verb}` })
  }
}
