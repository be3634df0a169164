// The attackers' process: opens sockets of every kind at each kind's rate, and counts their outcomes.
import { seededRandom } from "@hawser/protocol/testing"
import { constants, setPriority } from "node:os"
import { performance } from "node:perf_hooks"
import { setTimeout as pauseFor } from "node:timers/promises"
import { serveParent } from "./child.ts"
import type { Attack, Kind } from "./kind.ts"
import { frameKinds } from "./kinds/frames.ts"
import { httpKinds } from "./kinds/http.ts"
import { memberKinds } from "./kinds/members.ts"
import { upgradeKinds } from "./kinds/upgrades.ts"
import type { AttackersSetUp, AttackFigures, FromAttackers, KindFigures, ToAttackers } from "./messages.ts"
import { Peer } from "./peer.ts"

const kinds: readonly Kind[] = [...httpKinds, ...upgradeKinds, ...frameKinds, ...memberKinds]
/** Default weights, without the kinds that have a fixed number of sockets. */
const sharesSum = kinds.reduce(
  (sum, { share, socketsMax }) => sum + (socketsMax === undefined ? share : 0),
  0,
)
const tickMs = 20
/** Number of sockets that the rates of the kinds refer to. */
const ratedSockets = 500
/** Limit of sockets that one tick opens to make up the number. */
const fillersPerTick = 2

class KindRun {
  readonly #kind: Kind
  readonly #slots: number
  readonly #perMs: number
  readonly #peers = new Set<Peer>()
  readonly #outcomes: Record<string, number> = {}
  #underWay = 0
  #opened = 0
  #permits = 1
  #heldMs = 0

  constructor(kind: Kind, sockets: number) {
    this.#kind = kind
    const { share, socketsMax = Infinity } = kind
    this.#slots = Math.min(socketsMax, Math.max(1, Math.round((sockets * share) / sharesSum)))
    this.#perMs = (kind.perSecond * Math.min(1, sockets / ratedSockets)) / 1_000
  }

  /** Opens as many sockets as the rate and the share allow after `passedMs`. */
  tick(passedMs: number, begin: (run: KindRun) => void): void {
    // A delayed tick makes up for 100 ms at most: no bursts after a stall of this process.
    this.#permits = Math.min(Math.max(1, this.#perMs * 100), this.#permits + this.#perMs * passedMs)
    while (this.#permits >= 1 && this.#underWay < this.#slots) {
      this.#permits -= 1
      begin(this)
    }
  }

  async attack(attack: Omit<Attack, "open">, open: (from?: "shared" | "spread") => Peer): Promise<void> {
    this.#underWay += 1
    const own: Peer[] = []
    try {
      const outcome = await this.#kind.run({
        ...attack,
        open: (from) => {
          const peer = open(from)
          this.#opened += 1
          own.push(peer)
          this.#peers.add(peer)
          return peer
        },
      })
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
    } finally {
      this.#underWay -= 1
      for (const peer of own) this.#forget(peer)
    }
  }

  #forget(peer: Peer): void {
    if (!this.#peers.delete(peer)) return
    if (!peer.hasLeft) this.#heldMs = Math.max(this.#heldMs, peer.heldMs)
    peer.leave()
  }

  end(): void {
    for (const peer of [...this.#peers]) this.#forget(peer)
  }

  get socketsOpen(): number {
    return this.#peers.size
  }

  get isFiller(): boolean {
    return this.#kind.isFiller ?? false
  }

  get figures(): KindFigures {
    const { name, heldMaxMs } = this.#kind
    return { name, heldMaxMs, opened: this.#opened, outcomes: { ...this.#outcomes }, heldMs: this.#heldMs }
  }
}

class Attackers {
  readonly #setUp: AttackersSetUp
  readonly #random: () => number
  readonly #runs: readonly KindRun[]
  #stop: () => void = () => {}
  readonly #stopped = new Promise<void>((resolve) => (this.#stop = resolve))
  readonly #errors: string[] = []
  #socketsMost = 0
  readonly #cpu = process.cpuUsage()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(setUp: AttackersSetUp) {
    this.#setUp = setUp
    this.#random = seededRandom(setUp.seed)
    this.#runs = kinds.map((kind) => new KindRun(kind, setUp.sockets))
    let lastMs = performance.now()
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      for (const run of this.#runs) run.tick(nowMs - lastMs, (ready) => this.#begin(ready))
      lastMs = nowMs
      this.#fillUp()
      this.#socketsMost = Math.max(this.#socketsMost, this.#socketsOpen)
    }, tickMs)
  }

  get #socketsOpen(): number {
    return this.#runs.reduce((sum, { socketsOpen }) => sum + socketsOpen, 0)
  }

  /**
   * A kind's slots count attacks under way. Some of them have no open socket: between two sockets, or after the
   * server's close.
   */
  #fillUp(): void {
    const filler = this.#runs.find(({ isFiller }) => isFiller)
    const missing = Math.min(this.#setUp.sockets - this.#socketsOpen, fillersPerTick)
    for (let begun = 0; filler !== undefined && begun < missing; begun += 1) this.#begin(filler)
  }

  #begin(run: KindRun): void {
    const { where, tokens, assets } = this.#setUp
    const attack = {
      random: this.#random,
      tokens,
      assets,
      host: `${where.host}:${where.port}`,
      pause: (ms: number) => Promise.race([pauseFor(ms), this.#stopped]),
    }
    run
      .attack(attack, (from) => new Peer({ ...where, localAddress: this.#address(from) }))
      .catch((error: unknown) => {
        if (this.#errors.length < 20)
          this.#errors.push(error instanceof Error ? (error.stack ?? "") : String(error))
      })
  }

  #address(from: "shared" | "spread" = this.#random() < 0.5 ? "shared" : "spread"): string {
    if (from === "shared") return "127.1.0.1"
    const draw = Math.floor(this.#random() * 1_000)
    return `127.1.${1 + Math.floor(draw / 250)}.${1 + (draw % 250)}`
  }

  stop(): AttackFigures {
    clearInterval(this.#timer)
    const { user, system } = process.cpuUsage(this.#cpu)
    for (const run of this.#runs) run.end()
    this.#stop()
    return {
      kinds: this.#runs.map(({ figures }) => figures),
      socketsMost: this.#socketsMost,
      cpuMs: (user + system) / 1_000,
      errors: this.#errors,
    }
  }
}

// Real attackers have separate machines: here they use only the CPU that the world and the players leave.
setPriority(constants.priority.PRIORITY_LOW)

let attackers: Attackers | undefined

serveParent<ToAttackers, FromAttackers>((message, say) => {
  if (message.kind === "start") {
    attackers = new Attackers(message.setUp)
    say({ kind: "attacking" })
  } else if (message.kind === "stop") {
    if (attackers !== undefined) say({ kind: "stopped", figures: attackers.stop() })
  } else process.exit(0)
})
