// One player of the world by a real client: walks, chats, and measures the latency of replies. Must not know the
// attack.
import { HawserError, createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { WebSocket } from "ws"
import { Latencies } from "../../apps/world/src/bots/latencies.ts"
import { directions, world } from "../../apps/world/src/contract.ts"
import type { Direction, WorldContract } from "../../apps/world/src/contract.ts"
import { pick } from "./kind.ts"
import type { Where } from "./messages.ts"

/** Interval between two steps: two a second. The world allows more than six. */
const stepMs = { min: 300, max: 700 }
/** Probability that a step comes with a chat line. */
const speechChance = 1 / 20
const turnChance = 0.15

/** Figures of all players of one process since the last reading. */
export class Tally {
  readonly latencies = new Latencies()
  reconnects = 0
  resets: string[] = []
  errors: string[] = []

  blame(who: string, error: unknown): void {
    if (this.errors.length < 50) this.errors.push(`${who}: ${String(error)}`)
  }
}

export interface PlayerOptions {
  readonly name: string
  readonly where: Where
  /** Separate address of this player. */
  readonly localAddress: string
  readonly token: string
  readonly tally: Tally
  readonly random: () => number
}

export class Player {
  readonly #options: PlayerOptions
  readonly #client: Client<WorldContract>
  #heading: Direction = "DOWN"
  #timer: ReturnType<typeof setTimeout> | undefined
  #hasEntered = false

  constructor(options: PlayerOptions) {
    this.#options = options
    const { where, token, tally, name, localAddress } = options
    class OwnSocket extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols, { localAddress })
      }
    }
    this.#client = createClient(world, {
      url: `ws://${where.host}:${where.port}/ws`,
      token,
      webSocket: OwnSocket,
      autoConnect: false,
      onError: (error) => tally.blame(name, error),
    })
    this.#client.onStatus(({ state }) => {
      if (this.#hasEntered && state === "reconnecting") tally.reconnects += 1
    })
    this.#client.onSession((event) => {
      if (event.kind === "reset" && event.cause !== "client_closed") tally.resets.push(event.cause)
    })
    for (const name of ["players", "creatures"] as const) this.#client.replica(name).subscribe(() => {})
  }

  get isOpen(): boolean {
    return this.#client.current.state === "open"
  }

  async enter(withinMs: number): Promise<void> {
    await this.#client.connect({ signal: AbortSignal.timeout(withinMs) })
    this.#hasEntered = true
  }

  walk(): void {
    const { random } = this.#options
    this.#timer = setTimeout(
      () => {
        if (random() < turnChance) this.#heading = pick(random, directions)
        if (random() < speechChance) this.#say().catch((error: unknown) => this.#blame(error))
        this.step().catch((error: unknown) => this.#blame(error))
        this.walk()
      },
      stepMs.min + random() * (stepMs.max - stepMs.min),
    )
  }

  /** A step against a wall has a reply, too. */
  async step(): Promise<void> {
    const sentAtMs = performance.now()
    try {
      await this.#client.command("move", { direction: this.#heading })
    } catch (error) {
      if (!HawserError.is(error) || !error.code.startsWith("move_")) throw error
      this.#heading = pick(this.#options.random, directions)
    }
    this.#options.tally.latencies.add(performance.now() - sentAtMs)
  }

  async #say(): Promise<void> {
    const sentAtMs = performance.now()
    await this.#client.command("chatSend", { channel: "local", message: "Ahoy!" })
    this.#options.tally.latencies.add(performance.now() - sentAtMs)
  }

  leave(): void {
    clearTimeout(this.#timer)
    this.#client.close()
  }

  #blame(error: unknown): void {
    if (HawserError.is(error) && error.code === "client_closed") return
    this.#options.tally.blame(this.#options.name, error)
  }
}
