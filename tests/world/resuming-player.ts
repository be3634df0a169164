// A player whose connection may be lost at any moment, with a record of all received messages.
import { HawserError, createClient, fixed } from "@hawser/client"
import type { Client, SessionEvent } from "@hawser/client"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { world as contract } from "../../apps/world/src/contract.ts"
import type { Direction, Position, WorldContract } from "../../apps/world/src/contract.ts"
import type { Account } from "../conformance-2.0/player.ts"

/** Short, because the tests are about lost messages, not about delays between attempts. */
const retryMs = 30

export interface Seen {
  readonly x: number
  readonly y: number
  readonly away: boolean
}

export class ResumingPlayer {
  readonly username: string
  readonly client: Client<WorldContract>
  /** `SENDER: TEXT` of every chat line, the system's greeting included. */
  readonly lines: string[] = []
  /** `SENDER: TEXT` of the lines before the entry. */
  readonly history: string[] = []
  readonly sessions: SessionEvent[] = []
  readonly left: string[] = []
  readonly joined: string[] = []
  /** Players at their last update. */
  readonly seen = new Map<string, Seen>()
  readonly errors: unknown[] = []
  welcomes = 0
  steps = 0
  gathered = 0
  /** The player's number; 0 before the first welcome. */
  id = 0
  at: Position | undefined

  /** A test that runs concurrently with others passes its `onTestFinished`. */
  constructor(
    webSocketUrl: string,
    { username, token }: Pick<Account, "username" | "token">,
    onEnd: (cleanup: () => void) => void = onTestFinished,
  ) {
    this.username = username
    this.client = createClient(contract, {
      url: webSocketUrl,
      token,
      webSocket: WebSocket,
      autoConnect: false,
      reconnect: fixed({ baseMs: retryMs }),
      limits: { dialBurst: 1_000, dialsPerMinute: 1_000_000 },
      onError: (error) => void this.errors.push(error),
    })
    const { client } = this
    client.onSession((event) => this.sessions.push(event))
    client.on("welcome", ({ player: { id, x, y }, mapId }) => {
      this.welcomes += 1
      this.id = id
      this.at = { mapId, x, y }
    })
    client.on("chatMessage", ({ sender, message }) => this.lines.push(`${sender}: ${message}`))
    client.on("chatHistory", ({ lines }) =>
      this.history.push(...lines.map(({ sender, message }) => `${sender}: ${message}`)),
    )
    // Without a listener its records would not be read.
    client.replica("belongings").subscribe(() => {})
    client.on("playerLeft", (player) => this.left.push(player.username))
    client.on("playerJoined", (player) => this.joined.push(player.username))
    client.replica("players").subscribe(({ events }) => {
      for (const { kind, record } of events) {
        const { x, y, away } = record
        if (kind !== "leave") this.seen.set(record.username, { x, y, away })
      }
    })
    onEnd(() => client.close())
  }

  /** Chat lines of players. */
  get talk(): readonly string[] {
    return this.lines.filter((line) => !line.startsWith("Server: "))
  }

  async move(direction: Direction): Promise<void> {
    const { position } = await this.client.command("move", { direction })
    this.steps += 1
    this.at = position
  }

  async say(message: string): Promise<void> {
    await this.client.command("chatSend", { channel: "local", message })
  }

  /** Gathers like the page. Returns the experience afterwards; undefined if the resource is bare. */
  async gather(tile: { readonly x: number; readonly y: number }): Promise<number | undefined> {
    try {
      const { xp } = await this.client.command("gather", tile, { key: crypto.randomUUID() })
      this.gathered += 1
      return xp
    } catch (error) {
      if (HawserError.is(error) && error.code === "gather_nothing_left") return undefined
      throw error
    }
  }

  async xp(): Promise<Readonly<Record<string, number>>> {
    const { skills } = await this.client.query("stats")
    return Object.fromEntries(skills.map(({ name, xp }) => [name, xp]))
  }
}
