// A player that walks and sometimes speaks, through a real client. Must not know the other bots. The world sends its
// replicas to all bots, but only those with `looks` decode them: a thousand copies of the world in one process would
// distort the measurement.
import { HawserError, createClient } from "@hawser/client"
import type { Client, ClientOptions, SessionEvent } from "@hawser/client"
import { WebSocket } from "ws"
import { directions, world as contract } from "../contract.ts"
import type { Direction, WorldContract } from "../contract.ts"
import type { Latencies } from "./latencies.ts"

/** Interval between two steps, uniformly distributed: two steps a second on average. The world allows more than six. */
const stepMs = { min: 300, max: 700 }
/** Probability of a chat line at a step: about one every two minutes. */
const speechChance = 1 / 240
/** Probability of a turn at a step. */
const turnChance = 0.15

/** Time limit of `enter`, in milliseconds. A client without it continues its attempts for longer. */
const enteringMaxMs = 60_000

const lines = [
  "Ahoy!",
  "Nice weather today.",
  "Has the boat come in?",
  "I am only walking.",
  "Mind the wolves.",
]

/** Contract without replicas: a client ignores replicas that its contract lacks. */
const blindContract = { ...contract, replicas: {} }

export interface BotOptions {
  /** `ws://…/ws` */
  readonly url: string
  readonly token: () => Promise<string>
  readonly latencies: readonly Latencies[]
  /** True if the bot keeps copies of the replicas. */
  readonly looks: boolean
  /** Returns a number from [0, 1). */
  readonly random: () => number
}

export class Bot {
  readonly client: Pick<Client<WorldContract>, "command" | "connect" | "close" | "current" | "stats">
  readonly looks: boolean
  readonly #options: BotOptions
  #heading: Direction = "DOWN"
  #timer: ReturnType<typeof setTimeout> | undefined
  moves = 0
  /** Records that entered, changed or left; only for a bot with `looks`. */
  updates = 0
  /** First unexpected error; later ones are ignored. */
  fault: string | undefined

  constructor(options: BotOptions) {
    this.#options = options
    this.looks = options.looks
    const clientOptions: ClientOptions = {
      url: options.url,
      token: options.token,
      webSocket: WebSocket,
      autoConnect: false,
      onError: (error) => this.#blame(error),
    }
    if (this.looks) {
      const client = createClient(contract, clientOptions)
      for (const name of ["players", "creatures", "resources", "groundItems"] as const)
        client.replica(name).subscribe(({ events }) => (this.updates += events.length))
      client.onSession((event) => this.#onSession(event))
      this.client = client
    } else {
      const client = createClient(blindContract, clientOptions)
      client.onSession((event) => this.#onSession(event))
      this.client = client
    }
  }

  /** Connects. Rejects if the bot is not admitted, or not in time. */
  async enter(): Promise<void> {
    await this.client.connect({ signal: AbortSignal.timeout(enteringMaxMs) })
  }

  walk(): void {
    const { random } = this.#options
    const blame = (error: unknown): void => this.#blame(error)
    this.#timer = setTimeout(
      () => {
        if (random() < turnChance) this.#turn()
        if (random() < speechChance) this.#speak().catch(blame)
        this.#step().catch(blame)
        this.walk()
      },
      stepMs.min + random() * (stepMs.max - stepMs.min),
    )
  }

  leave(): void {
    clearTimeout(this.#timer)
    this.client.close()
  }

  /** Records a fault if the session is lost: messages are missing then, although the client reconnects by itself. */
  #onSession(event: SessionEvent): void {
    if (event.kind === "reset" && event.cause !== "client_closed")
      this.#blame(new Error(`the session was lost: ${event.cause}`))
  }

  async #step(): Promise<void> {
    const sentAtMs = performance.now()
    try {
      await this.client.command("move", { direction: this.#heading }, { whenOffline: "drop" })
      this.#answered(sentAtMs)
    } catch (error) {
      if (!HawserError.is(error)) this.#blame(error)
      else if (error.code.startsWith("move_")) {
        this.#answered(sentAtMs)
        this.#turn()
      } else if (!isOutage(error.code)) this.#blame(error)
    }
  }

  async #speak(): Promise<void> {
    const message = lines[Math.floor(this.#options.random() * lines.length)] ?? ""
    try {
      await this.client.command("chatSend", { channel: "local", message }, { whenOffline: "drop" })
    } catch (error) {
      if (!HawserError.is(error) || !isOutage(error.code)) this.#blame(error)
    }
  }

  #answered(sentAtMs: number): void {
    this.moves += 1
    for (const latencies of this.#options.latencies) latencies.add(performance.now() - sentAtMs)
  }

  #turn(): void {
    this.#heading = directions[Math.floor(this.#options.random() * directions.length)] ?? "DOWN"
  }

  #blame(error: unknown): void {
    this.fault ??= textOf(error)
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** Returns true for codes of a lost connection, which is no fault of a bot while its session continues. */
function isOutage(code: string): boolean {
  return ["connection_lost", "client_closed", "dropped"].includes(code)
}
