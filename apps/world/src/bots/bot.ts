// One player who walks about and now and then says something, by a real client. Must not know how many others there are.
// What the world shows is sent to all of them; only those who look unpack it, because a thousand copies of the world in
// one process would be measured, and not the world.
import { HawserError, createClient } from "@hawser/client"
import type { Client, ClientOptions, SessionEvent } from "@hawser/client"
import { WebSocket } from "ws"
import { directions, world as contract } from "../contract.ts"
import type { Direction, WorldContract } from "../contract.ts"
import type { Latencies } from "./latencies.ts"

/** Between two steps, evenly spread: two a second. The world allows more than six. */
const stepMs = { min: 300, max: 700 }
/** Of a step that something is said with it: every two minutes or so. */
const speechChance = 1 / 240
/** Of a step that it goes another way than the one before. */
const turnChance = 0.15

/** A client by itself would try for longer than anybody wants to watch. */
const enteringMaxMs = 60_000

const lines = [
  "Ahoy!",
  "Nice weather today.",
  "Has the boat come in?",
  "I am only walking.",
  "Mind the wolves.",
]

/** Without what is shown: a client passes over replicas that its contract does not have. */
const blindContract = { ...contract, replicas: {} }

export interface BotOptions {
  /** `ws://…/ws` */
  readonly url: string
  readonly token: () => Promise<string>
  readonly latencies: readonly Latencies[]
  /** Whether it keeps a copy of what is near. */
  readonly looks: boolean
  /** From [0, 1). */
  readonly random: () => number
}

export class Bot {
  readonly client: Pick<Client<WorldContract>, "command" | "connect" | "close" | "current" | "stats">
  readonly looks: boolean
  readonly #options: BotOptions
  #heading: Direction = "DOWN"
  #timer: ReturnType<typeof setTimeout> | undefined
  moves = 0
  /** Records that entered, changed or left; of a bot that looks. */
  updates = 0
  /** What it did not expect; more than the first says nothing new. */
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
      client.onSession((event) => this.#heed(event))
      this.client = client
    } else {
      const client = createClient(blindContract, clientOptions)
      client.onSession((event) => this.#heed(event))
      this.client = client
    }
  }

  /** Rejects when it is not let in, in time or at all. */
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

  /** Of a session that is lost something is missing, though the client comes back by itself. */
  #heed(event: SessionEvent): void {
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

/** A lost connection is no fault of a bot's as long as its session goes on. */
function isOutage(code: string): boolean {
  return ["connection_lost", "client_closed", "dropped"].includes(code)
}
