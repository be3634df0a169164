// A client that joins a room at the end, and reads its history.
import { createClient } from "@hawser/client"
import { setTimeout as pause } from "node:timers/promises"
import WebSocket from "ws"
import { historyCount, killContract, roomOf } from "./contract.ts"

const patienceMs = 20_000
const pollMs = 50

export class Observer {
  readonly #url: string
  readonly #by: number

  /** @param by a member of the room. */
  constructor(url: string, by: number) {
    this.#url = url
    this.#by = by
  }

  /** Returns the retained publications as `by:n`, once there are `count`, or later as many as there are. */
  async history(count: number): Promise<readonly string[]> {
    const client = createClient(killContract, {
      url: this.#url,
      token: `observer of ${roomOf(this.#by)}`,
      webSocket: WebSocket,
    })
    const said: string[] = []
    const room = client.topic(roomOf(this.#by))
    room.on("said", ({ by, n }) => said.push(`${by}:${n}`))
    try {
      await room.join({ recent: historyCount })
      const untilMs = performance.now() + patienceMs
      while (said.length < count && performance.now() < untilMs) await pause(pollMs)
      return said
    } finally {
      client.close()
    }
  }
}
