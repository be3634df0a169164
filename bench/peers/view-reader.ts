// A Colyseus client's copy of the world: Colyseus' own decoder, fed with the server's messages.
import { Decoder } from "@colyseus/schema"
import { directions } from "../servers/world-model.ts"
import type { SeenPlayer, WorldReader } from "../load/world-readers.ts"
import { WorldState } from "./world-state.ts"

const stateCode = 14
const patchCode = 15

export function createViewReader(): WorldReader {
  const state = new WorldState()
  const decoder = new Decoder(state)
  return {
    apply(message) {
      if (message[0] === stateCode || message[0] === patchCode) decoder.decode(message, { offset: 1 })
    },
    get players() {
      const seen = new Map<number, SeenPlayer>()
      state.players.forEach((player, id) => {
        seen.set(Number(id), { x: player.x, y: player.y, dir: directions[player.dir] ?? "UP" })
      })
      return seen
    },
  }
}
