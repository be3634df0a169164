// One client of a soak: sends requests, is in a room, views near walkers, and checks that nothing is lost, repeated or
// reordered. Its page is cut, reloaded, or vanishes without a BYE.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { cellOf, staysInView } from "@hawser/protocol/core"
import { isDeepStrictEqual } from "node:util"
import { WebSocket } from "ws"
import { cellSize, contract } from "./contract.ts"
import type { Rest, SoakContract, Walker } from "./contract.ts"

/** Figures of all players of a soak. */
export interface Tally {
  requests: number
  events: number
  /** Numbers that did not follow the previous one. */
  lost: number
  repeated: number
  /** Causes of sessions that ended. */
  readonly resets: string[]
  readonly errors: string[]
}

export class Player {
  readonly name: string
  readonly #url: string
  readonly #room: string
  readonly #tally: Tally
  #client: Client<SoakContract>
  /** Number of its current page: later events of an old page are ignored. */
  #page = 0
  #sockets = new Set<WebSocket>()
  #requests = 0
  #hails = 0
  #notes = 0

  constructor(name: string, room: string, { url, tally }: { readonly url: string; readonly tally: Tally }) {
    this.name = name
    this.#url = url
    this.#room = room
    this.#tally = tally
    this.#client = this.#open()
  }

  get isOpen(): boolean {
    return this.#client.current.state === "open"
  }

  get pending(): number {
    return this.#client.pending().length
  }

  #open(): Client<SoakContract> {
    this.#page += 1
    this.#requests = 0
    this.#notes = 0
    this.#sockets.clear()
    const page = this.#page
    const sockets = this.#sockets
    const tally = this.#tally
    const report = (error: unknown): void => void (page === this.#page && tally.errors.push(String(error)))
    class PageSocket extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols)
        sockets.add(this)
      }
    }
    const client = createClient(contract, {
      url: this.#url,
      token: this.name,
      webSocket: PageSocket,
      limits: { dialBurst: 100, dialsPerMinute: 1_000, requestTimeoutMs: 120_000 },
      onError: report,
    })
    client.onSession((event) => {
      if (event.kind === "opened") this.#notes = 0
      if (event.kind === "reset" && page === this.#page) tally.resets.push(event.cause)
    })
    client.on("note", ({ n }) => (this.#notes = this.#follow(n, this.#notes)))
    const room = client.topic(`room:${this.#room}`)
    const hails = new Map<string, number>()
    let chats: number | undefined
    room.on("chat", ({ n }) => (chats = this.#follow(n, chats)))
    room.on("hail", ({ who, n }) => hails.set(who, this.#follow(n, hails.get(who))))
    room.onGap(() => (tally.lost += 1))
    room.join({ state: { mood: page } }).catch(report)
    return client
  }

  /** Compares the number with the previous one, and returns it. */
  #follow(n: number, last: number | undefined): number {
    this.#tally.events += 1
    if (last !== undefined && n > last + 1) this.#tally.lost += 1
    if (last !== undefined && n <= last) this.#tally.repeated += 1
    return n
  }

  ask(): void {
    const page = this.#page
    const tally = this.#tally
    this.#requests += 1
    const n = this.#requests
    this.#client.command("count", { n }).then(
      (reply) => {
        tally.requests += 1
        if (reply.n !== n) tally.repeated += 1
      },
      (error: unknown) => void (page === this.#page && tally.errors.push(`count ${n}: ${String(error)}`)),
    )
  }

  hail(): void {
    const page = this.#page
    this.#hails += 1
    this.#client
      .topic(`room:${this.#room}`)
      .publish("hail", { who: `${this.name} ${page}`, n: this.#hails })
      .catch(
        (error: unknown) => void (page === this.#page && this.#tally.errors.push(`hail: ${String(error)}`)),
      )
  }

  cut(): void {
    this.#client.cut()
  }

  /** `vanishes`: the server gets no BYE, and the session expires. */
  reload(vanishes: boolean): void {
    const old = this.#client
    if (vanishes) for (const socket of this.#sockets) socket.terminate()
    this.#page += 1
    this.#hails = 0
    old.close()
    this.#client = this.#open()
  }

  close(): void {
    this.#page += 1
    this.#client.close()
  }

  /** Faults of its copy and of its received messages, after all movement has stopped. */
  faults({ walkers, notes }: Rest): string[] {
    const faults: string[] = []
    const own = walkers[this.name]
    const copy = this.#client.replica("walkers")
    const isNear = (walker: Walker): boolean =>
      own !== undefined && staysInView(cellOf(walker, cellSize), cellOf(own, cellSize), 0)
    for (const [id, walker] of Object.entries(walkers))
      if (isNear(walker) && !copy.has(id)) faults.push(`${this.name} does not see ${id}`)
    for (const [id, seen] of copy)
      if (!isDeepStrictEqual(seen, walkers[id])) faults.push(`${this.name} sees ${id} where it is not`)
    if (notes[this.name] !== this.#notes)
      faults.push(`${this.name} has ${this.#notes} of ${notes[this.name]} notes`)
    return faults
  }
}
