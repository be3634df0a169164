// The players' process: players who walk and chat, and newcomers at intervals.
import { seededRandom } from "@hawser/protocol/testing"
import { randomBytes } from "node:crypto"
import { serveParent } from "./child.ts"
import type { FromPlayers, Newcomer, PlayerFigures, PlayersSetUp, ToPlayers } from "./messages.ts"
import { arrive } from "./newcomer.ts"
import { Player, Tally } from "./player.ts"

const enteringMaxMs = 20_000
const enteringAtOnce = 8

class Players {
  readonly #setUp: PlayersSetUp
  readonly #random: () => number
  readonly #players: readonly Player[]
  readonly #tally = new Tally()
  #newcomers: Newcomer[] = []
  #refused: string[] = []
  #newcomerCount = 0

  constructor(setUp: PlayersSetUp) {
    this.#setUp = setUp
    this.#random = seededRandom(setUp.seed)
    this.#players = setUp.tokens.map(
      (token, index) =>
        new Player({
          name: `player ${index}`,
          where: setUp.where,
          localAddress: `127.2.0.${1 + (index % 250)}`,
          token,
          tally: this.#tally,
          random: this.#random,
        }),
    )
  }

  async start(): Promise<readonly string[]> {
    const waiting = this.#players.values()
    await Promise.all(
      Array.from({ length: enteringAtOnce }, async () => {
        for (const player of waiting) {
          try {
            await player.enter(enteringMaxMs)
            player.walk()
          } catch (error) {
            this.#tally.blame("entering", error)
          }
        }
      }),
    )
    setInterval(() => {
      this.#arrive().catch((error: unknown) => this.#refused.push(String(error)))
    }, this.#setUp.newcomerEveryMs)
    return this.#tally.errors
  }

  async #arrive(): Promise<void> {
    this.#newcomerCount += 1
    const newcomer = await arrive({
      where: this.#setUp.where,
      localAddress: `127.2.1.${1 + (this.#newcomerCount % 250)}`,
      username: `new-${randomBytes(6).toString("hex")}`,
      random: this.#random,
      withinMs: this.#setUp.newcomerMaxMs,
    })
    this.#newcomers.push(newcomer)
  }

  read(): PlayerFigures {
    const { latencies, reconnects, resets, errors } = this.#tally
    const figures = {
      open: this.#players.filter(({ isOpen }) => isOpen).length,
      commands: {
        count: latencies.count,
        p50Ms: latencies.quantile(0.5),
        p99Ms: latencies.quantile(0.99),
      },
      reconnects,
      resets,
      errors,
      newcomers: this.#newcomers,
      refused: this.#refused,
    }
    latencies.clear()
    Object.assign(this.#tally, { reconnects: 0, resets: [], errors: [] })
    this.#newcomers = []
    this.#refused = []
    return figures
  }
}

let players: Players | undefined

serveParent<ToPlayers, FromPlayers>((message, say) => {
  if (message.kind === "start") {
    players = new Players(message.setUp)
    players.start().then(
      (errors) => say({ kind: "walking", errors }),
      (error: unknown) => say({ kind: "walking", errors: [String(error)] }),
    )
  } else if (message.kind === "read") {
    if (players !== undefined) say({ kind: "figures", figures: players.read() })
  } else process.exit(0)
})
