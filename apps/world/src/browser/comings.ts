// Arrivals and departures as lines of the chat: by name while they are few, as a number when they are many.
import type { NewChatLine } from "./chat-log.ts"

/** Names that are shown within `togetherMs`; further ones are counted. */
const namesMax = 4
const togetherMs = 3_000

export interface Comings {
  add(username: string, verb: "joined" | "left"): void
}

export function createComings(addTo: (line: Omit<NewChatLine, "atMs">) => void): Comings {
  const counts = { joined: 0, left: 0 }
  return {
    add(username, verb) {
      counts[verb] += 1
      if (counts[verb] <= namesMax) addTo({ kind: "system", text: `${username} has ${verb}` })
      if (counts[verb] === 1) setTimeout(() => sum(verb), togetherMs)
    },
  }

  function sum(verb: "joined" | "left"): void {
    const more = counts[verb] - namesMax
    counts[verb] = 0
    if (more > 0) addTo({ kind: "system", text: `${more} more ${more === 1 ? "has" : "have"} ${verb}` })
  }
}
