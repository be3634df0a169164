// Ends log-ins at the server, and repeats the request until the server has answered, also after a reload. Only names are
// stored: the credential is the cookie, which no script reads, and which the server's answer deletes. Must not know HTTP.
import type { Clock } from "@hawser/protocol"
import { z } from "zod"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"
import { jsonOf } from "./text-slot.ts"
import type { TextSlot } from "./text-slot.ts"

/** Maximum number of names that are stored; beyond it the oldest is dropped. */
const namesMax = 8
/** Life of the cookie without a renewal, in milliseconds: 30 days. An older name is dropped. */
const cookieMs = 30 * 24 * 60 * 60 * 1_000
/** Delays between attempts, in milliseconds. After the last one `retry` begins again. */
const delaysMs = [1_000, 3_000, 10_000, 30_000, 60_000, 60_000, 60_000, 300_000] as const

/** `waiting`: the server has not ended the log-in yet. `ended`: it has, after it could not be reached at first. */
export interface LogOutNews {
  readonly kind: "waiting" | "ended"
  readonly name: string
}

export interface LogOutsOptions {
  /** Shared by all tabs of the browser, as the cookie is. */
  readonly slot: TextSlot
  readonly endLogin: (name: string) => Promise<"ended" | "later">
  readonly clock: Pick<Clock, "schedule">
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
}

const storedSchema = z.array(z.object({ name: z.string().min(1).max(50), sinceMs: z.number() })).max(namesMax)

interface WaitingNames {
  readonly all: () => readonly string[]
  has(name: string): boolean
  add(name: string): void
  remove(name: string): void
}

function waitingNames({ slot, nowMs }: Pick<LogOutsOptions, "slot" | "nowMs">): WaitingNames {
  const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
  const read = () =>
    (storedSchema.safeParse(jsonOf(slot)).data ?? []).filter(({ sinceMs }) => nowMs() - sinceMs < cookieMs)
  const without = (name: string) => read().filter((one) => !isSame(one.name, name))
  const write = (names: ReturnType<typeof read>): void =>
    slot.write(names.length === 0 ? undefined : JSON.stringify(names.slice(-namesMax)))
  return {
    all: () => read().map(({ name }) => name),
    has: (name) => read().some((one) => isSame(one.name, name)),
    add: (name) => write([...without(name), { name, sinceMs: nowMs() }]),
    remove: (name) => write(without(name)),
  }
}

export class LogOuts {
  /** News for the player; undefined while every log-out succeeds at once. */
  readonly news: Store<LogOutNews | undefined> = createStore<LogOutNews | undefined>(undefined)
  readonly #options: LogOutsOptions
  readonly #waiting: WaitingNames
  /** Requests that have no answer yet, by the name in lower case. */
  readonly #underWay = new Map<string, Promise<void>>()
  /** Names in lower case whose player is logging in. */
  readonly #loggingIn = new Set<string>()
  #delayIndex = 0
  #cancel: (() => void) | undefined

  constructor(options: LogOutsOptions) {
    this.#options = options
    this.#waiting = waitingNames(options)
  }

  /** Ends a player's log-in, now or as soon as the server can be reached. */
  end(name: string): void {
    if (name === "") return
    this.#waiting.add(name)
    this.#delayIndex = 0
    if (this.news.value?.kind === "ended") this.news.set(undefined)
    this.#attempt(name)
  }

  /**
   * Performs a log-in of this player, during which no end is sent: it would end the new log-in. A successful log-in
   * replaces the cookie, so the earlier one needs no end.
   */
  async around<T extends { readonly ok: boolean }>(name: string, logIn: () => Promise<T>): Promise<T> {
    const key = name.toLowerCase()
    this.#loggingIn.add(key)
    try {
      await this.#underWay.get(key)
      const result = await logIn()
      if (result.ok) {
        this.#waiting.remove(name)
        this.news.set(undefined)
      }
      return result
    } finally {
      this.#loggingIn.delete(key)
      this.retry()
    }
  }

  /** Sends the ends that wait: the page was loaded, or the network has returned. */
  retry(): void {
    this.#delayIndex = 0
    this.#attemptAll()
  }

  /** Stops the attempts of this page. */
  stop(): void {
    this.#cancel?.()
  }

  #attemptAll(): void {
    this.#cancel?.()
    this.#cancel = undefined
    for (const name of this.#waiting.all()) this.#attempt(name)
  }

  #attempt(name: string): void {
    const key = name.toLowerCase()
    if (this.#underWay.has(key) || this.#loggingIn.has(key)) return
    this.#underWay.set(key, this.#send(name))
  }

  async #send(name: string): Promise<void> {
    const answer = await this.#options.endLogin(name)
    this.#underWay.delete(name.toLowerCase())
    if (answer === "later") {
      if (this.#waiting.has(name)) this.news.set({ kind: "waiting", name })
      this.#wait()
      return
    }
    this.#waiting.remove(name)
    const [next] = this.#waiting.all()
    if (this.news.value !== undefined)
      this.news.set(next === undefined ? { kind: "ended", name } : { kind: "waiting", name: next })
  }

  #wait(): void {
    const delayMs = delaysMs[this.#delayIndex]
    if (this.#cancel !== undefined || delayMs === undefined || this.#waiting.all().length === 0) return
    this.#delayIndex += 1
    this.#cancel = this.#options.clock.schedule(delayMs, () => this.#attemptAll())
  }
}
