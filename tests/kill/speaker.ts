// One client of the killed server: talks at random, and keeps a record of what its application saw. Must not know processes.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import WebSocket from "ws"
import { killContract, roomOf } from "./contract.ts"
import type { KillContract } from "./contract.ts"
import type { ClientRecord, RequestKind, RequestRecord } from "./judge.ts"

export interface SpeakerOptions {
  readonly by: number
  readonly url: string
  readonly random: () => number
  /** Longest time for an outcome, in milliseconds. */
  readonly timeoutMs: number
  /** Monotonic time in milliseconds. */
  readonly now: () => number
}

interface OpenRequest {
  readonly n: number
  readonly kind: RequestKind
  readonly replies: { n: number; run: number }[]
  error: string | undefined
}

interface OpenStream {
  readonly upTo: number
  readonly items: number[]
  error: string | undefined
}

const streamItems = 40

export class Speaker {
  readonly #client: Client<KillContract>
  readonly #options: SpeakerOptions
  readonly #requests: OpenRequest[] = []
  readonly #notes: number[] = []
  readonly #said: string[] = []
  readonly #news: { life: number; n: number }[] = []
  readonly #streams: OpenStream[] = []
  readonly #resets: string[] = []
  readonly #faults: string[] = []
  readonly #room
  /** Calls without an outcome. */
  #open = 0
  /** Time of the first kill that this client has not recovered from. */
  #killedAtMs: number | undefined
  /** Outages after kills, in milliseconds. */
  readonly outagesMs: number[] = []
  /** Arrived messages of all kinds. */
  arrived = 0

  constructor(options: SpeakerOptions) {
    this.#options = options
    this.#client = createClient(killContract, {
      url: options.url,
      token: String(options.by),
      webSocket: WebSocket,
      random: options.random,
      // Kills follow each other faster than any budget for real outages.
      limits: { dialBurst: 1_000, dialsPerMinute: 1_000_000 },
      onError: (error) => this.#faults.push(String(error)),
    })
    this.#room = this.#client.topic(roomOf(options.by))
    this.#listen()
  }

  #listen(): void {
    const note = (work: () => void): void => {
      this.arrived += 1
      work()
    }
    this.#client.on("note", ({ n }) => note(() => this.#notes.push(n)))
    this.#client.on("news", (news) => note(() => this.#news.push(news)))
    this.#room.on("said", ({ by, n }) => note(() => this.#said.push(`${by}:${n}`)))
    this.#room.onGap((gap) => this.#faults.push(`gap: ${JSON.stringify(gap)}`))
    this.#room.onLeft((error) => this.#faults.push(`left: ${error.code}`))
    this.#client.onSession((event) => {
      if (event.kind === "reset") this.#resets.push(event.cause)
    })
    this.#client.onStatus(({ state }) => {
      if (state !== "open" || this.#killedAtMs === undefined) return
      this.outagesMs.push(this.#options.now() - this.#killedAtMs)
      this.#killedAtMs = undefined
    })
  }

  /** Joins its room. */
  async join(): Promise<void> {
    await this.#room.join()
  }

  /** True if it has been connected since the last kill. */
  get isHere(): boolean {
    return this.#killedAtMs === undefined
  }

  /** True if no call is without its outcome. */
  get isQuiet(): boolean {
    return this.#open === 0
  }

  get said(): number {
    return this.#said.length
  }

  get requests(): number {
    return this.#requests.length
  }

  /** Notes that the server was killed at this time. */
  killed(atMs: number): void {
    this.#killedAtMs ??= atMs
  }

  /** Makes one request, or opens a stream. */
  talk(): void {
    const draw = this.#options.random()
    if (draw < 0.35) this.#request("say", (n, options) => this.#client.command("say", { n }, options))
    else if (draw < 0.6) this.#request("slow", (n, options) => this.#client.command("slow", { n }, options))
    else if (draw < 0.75)
      this.#request("publish", async (n, options) => {
        await this.#room.publish("said", { by: this.#options.by, n }, options)
        return { n, run: 0 }
      })
    else if (draw < 0.97) this.#keyed()
    else this.#count()
  }

  #request(
    kind: RequestKind,
    call: (n: number, options: { timeoutMs: number }) => Promise<{ n: number; run: number }>,
  ): void {
    const request: OpenRequest = { n: this.#requests.length, kind, replies: [], error: undefined }
    this.#requests.push(request)
    this.#follow(async () => {
      try {
        request.replies.push(await call(request.n, { timeoutMs: this.#options.timeoutMs }))
      } catch (error) {
        request.error = codeOf(error)
      }
    })
  }

  /** A request with a key, and sometimes the same one again: both have one outcome. */
  #keyed(): void {
    const isRepeated = this.#options.random() < 0.3
    const name = this.#options.random() < 0.5 ? "say" : "slow"
    this.#request("keyed", async (n, { timeoutMs }) => {
      const options = { timeoutMs, key: `key ${this.#options.by} ${n}` }
      const reply = await this.#client.command(name, { n }, options)
      if (!isRepeated) return reply
      this.#requests[n]?.replies.push(reply)
      return await this.#client.command(name, { n }, options)
    })
  }

  #count(): void {
    const stream: OpenStream = { upTo: streamItems, items: [], error: undefined }
    this.#streams.push(stream)
    this.#follow(async () => {
      try {
        for await (const { n } of this.#client.stream("count", { upTo: streamItems })) {
          this.arrived += 1
          stream.items.push(n)
        }
      } catch (error) {
        stream.error = codeOf(error)
      }
    })
  }

  /** Counts a call until it settles. */
  #follow(work: () => Promise<void>): void {
    this.#open += 1
    work().then(
      () => (this.#open -= 1),
      (error: unknown) => this.#faults.push(String(error)),
    )
  }

  /** Record of a quiet client. */
  record(): ClientRecord {
    const requests: readonly RequestRecord[] = this.#requests
    return {
      by: this.#options.by,
      requests,
      notes: this.#notes,
      said: this.#said,
      news: this.#news,
      streams: this.#streams,
      resets: this.#resets,
      faults: this.#faults,
    }
  }

  close(): void {
    this.#client.close()
  }
}

function codeOf(error: unknown): string {
  return HawserError.is(error) ? error.code : String(error)
}
