// One client and all events of its application, readable as plain data. Runs in a page and in a worker, so it must not
// use the document.
import { createClient, fixed } from "@hawser/client"
import type { Client, ClientOptions, ClientStatus } from "@hawser/client"
import { contract } from "./contract.ts"

export interface StartOptions {
  readonly url: string
  readonly token: string
  /** Reconnects after this number of milliseconds instead of by the default strategy. */
  readonly everyMs?: number
  readonly limits?: ClientOptions["limits"]
}

/** Limit of outstanding requests while the probe sends. */
const talkWidth = 4

export class Probe {
  readonly #statuses: { readonly atMs: number; readonly status: unknown }[] = []
  readonly #sessions: unknown[] = []
  readonly #news: { readonly n: number; readonly atMs: number }[] = []
  readonly #lines: string[] = []
  readonly #errors: string[] = []
  #client: Client<typeof contract> | undefined

  start({ url, token, everyMs, limits = {} }: StartOptions): void {
    const client = createClient(contract, {
      url,
      token,
      limits,
      ...(everyMs === undefined ? {} : { reconnect: fixed({ baseMs: everyMs, jitter: "none" }) }),
      onError: (error) => this.#errors.push(String(error)),
    })
    this.#client = client
    client.onStatus((status) => this.#statuses.push({ atMs: Date.now(), status: plainStatus(status) }))
    client.onSession((event) => this.#sessions.push({ ...event, atMs: Date.now() }))
    client.on("news", ({ n }) => this.#news.push({ n, atMs: Date.now() }))
    client.topic("room").on("line", ({ text }) => this.#lines.push(text))
  }

  /** Everything recorded so far. */
  state(): unknown {
    return {
      status: plainStatus(this.#open.current),
      sessionId: this.#open.sessionId ?? null,
      statuses: this.#statuses,
      sessions: this.#sessions,
      news: this.#news,
      lines: this.#lines,
      members: [...this.#open.topic("room").presence].map(({ user, state, away }) => ({
        user,
        ...state,
        away,
      })),
      boats: Object.fromEntries(this.#open.replica("boats")),
      errors: this.#errors,
      stats: this.#open.stats(),
    }
  }

  async echo(text: string): Promise<string> {
    return (await this.#open.query("echo", { text })).text
  }

  async count(to: number): Promise<readonly number[]> {
    const items: number[] = []
    for await (const { n } of this.#open.stream("count", { to }, { window: 4 })) items.push(n)
    return items
  }

  async join(tab: string): Promise<void> {
    await this.#open.topic("room").join({ state: { tab } })
  }

  async publish(text: string): Promise<void> {
    await this.#open.topic("room").publish("line", { text })
  }

  /** Sends the commands 0 … `count` − 1. Resolves with the numbers of their replies, in order of arrival. */
  async talk(count: number): Promise<readonly number[]> {
    const client = this.#open
    const replies: number[] = []
    let next = 0
    async function sayOn(): Promise<void> {
      while (next < count) {
        const n = next
        next += 1
        replies.push((await client.command("say", { n }, { timeoutMs: 60_000 })).n)
      }
    }
    await Promise.all(Array.from({ length: talkWidth }, sayOn))
    return replies
  }

  /** Resolves when the client is open. */
  async connect(): Promise<void> {
    await this.#open.connect()
  }

  stop(): void {
    this.#open.close()
  }

  get #open(): Client<typeof contract> {
    if (this.#client === undefined) throw new Error("the probe was not started")
    return this.#client
  }
}

export type ProbeMethod = Exclude<keyof Probe, symbol>

function plainStatus(status: ClientStatus): unknown {
  const { state } = status
  if (state !== "reconnecting" && state !== "closed") return status
  const { error } = status
  return { ...status, error: error === undefined ? null : { code: error.code, message: error.message } }
}
