// A server behind the chaos proxy is killed at random moments and started again, while clients talk; then their records are judged.
import { seededRandom } from "@hawser/protocol/testing"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { findBun } from "../sockets/bun-transport.ts"
import type { Plan } from "../chaos/behaviour.ts"
import { startChaosProxy } from "../chaos/proxy.ts"
import type { ChaosProxy } from "../chaos/proxy.ts"
import { historyCount, roomOf } from "./contract.ts"
import { SmallDisk } from "./disk.ts"
import { judge } from "./judge.ts"
import type { RoomRecord, Violation } from "./judge.ts"
import { Observer } from "./observer.ts"
import { ServerProcess, buildServer } from "./server-process.ts"
import type { Death } from "./server-process.ts"
import { Speaker } from "./speaker.ts"

export interface KillOptions {
  readonly times: number
  readonly clients: number
  readonly death: Death
  readonly mode: "kill" | "power"
  readonly runtime: "node" | "bun"
  readonly seed: number
  readonly onProgress: (text: string) => void
}

export interface KillResult {
  readonly violations: readonly Violation[]
  /** Errors that servers reported. */
  readonly errors: readonly string[]
  /** Outages as clients felt them, in milliseconds: from a kill to the next open session. */
  readonly outagesMs: readonly number[]
  readonly requests: number
  /** Messages that arrived at clients. */
  readonly arrived: number
  readonly connections: number
  /** Handlers that ran again because their process was killed before their request was settled. */
  readonly reruns: number
  /** Kills before the process listened. */
  readonly early: number
  /** Exit codes and signals with their numbers. */
  readonly exits: Readonly<Record<string, number>>
  readonly recoveryMs: readonly number[]
}

const turnMs = 20
/** Average time between two requests of one client. */
const talkEveryMs = 600
const outcomeMs = 120_000
const quietMs = 60_000
/** Longest time that a process lives, and that none does. */
const lifeMostMs = 3_000
const gapMostMs = 300
/** Share of kills that do not wait until all clients are back from the last one. */
const hastyShare = 0.25
const backMostMs = 4_000
/** Share of processes that are killed while they start. */
const earlyShare = 0.15
const earlyMostMs = 400
/** Share of the connections that the network cuts in each second. */
const cutShare = 0.01

/** Small delays, and connections that end after some bytes. */
const network: Plan = (_, random) => {
  const lane = { latencyMs: random() * 8, jitterMs: 2 }
  const isCut = random() < 0.1
  const afterBytes = Math.floor(20_000 * random())
  return { toServer: lane, toClient: isCut ? { ...lane, stop: { afterBytes, how: "rst" } } : lane }
}

/** Runs until all kills are done and all clients are quiet. */
export async function runKills(options: KillOptions): Promise<KillResult> {
  const run = new Run(options)
  try {
    return await run.run()
  } finally {
    await run.close()
  }
}

class Run {
  readonly #options: KillOptions
  readonly #random: () => number
  readonly #parent = mkdtempSync(join(tmpdir(), "hawser-kill-"))
  readonly #runs = join(this.#parent, "runs")
  readonly #disk: SmallDisk | undefined
  readonly #address = { host: "127.0.0.1", port: 0 }
  readonly #speakers: Speaker[] = []
  readonly #errors: string[] = []
  readonly #exits: Record<string, number> = {}
  readonly #recoveryMs: number[] = []
  #program = ""
  #runtime = process.execPath
  #proxy: ChaosProxy | undefined
  #server: ServerProcess | undefined
  #lives = 0
  #early = 0
  #isTalking = true

  constructor(options: KillOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#disk = options.death === "disk" ? new SmallDisk(this.#parent) : undefined
  }

  async run(): Promise<KillResult> {
    const { times, clients, runtime, seed, onProgress } = this.#options
    if (runtime === "bun") this.#runtime = findBun() ?? missingBun()
    this.#program = await buildServer(this.#parent)
    await this.#start()
    // The port is read at each dial: every process has its own.
    const proxy = await startChaosProxy({ to: this.#address, plan: network, seed })
    this.#proxy = proxy
    const url = `ws://${proxy.host}:${proxy.port}/ws`
    for (let by = 0; by < clients; by += 1)
      this.#speakers.push(
        new Speaker({ by, url, random: seededRandom(seed * 10_000 + by), timeoutMs: outcomeMs, now }),
      )
    await Promise.all(this.#speakers.map((speaker) => speaker.join()))
    const talk = this.#talk(proxy)
    for (let count = 1; count <= times; count += 1) {
      await this.#kill()
      if (count % 10 === 0)
        onProgress(`${count} of ${times} kills, ${this.#sum(({ requests }) => requests)} requests`)
    }
    await pause(lifeMostMs / 2)
    this.#isTalking = false
    await talk
    await this.#becomeQuiet()
    return await this.#result(url)
  }

  /** Ends everything that runs. */
  async close(): Promise<void> {
    this.#isTalking = false
    for (const speaker of this.#speakers) speaker.close()
    await this.#proxy?.close()
    await this.#server?.die("sigkill")
    this.#disk?.unmount()
    rmSync(this.#parent, { recursive: true, force: true })
  }

  /** Starts a process. Kills some of them while they start, each of which counts as a kill of its own. */
  async #start(): Promise<void> {
    const folder = join(this.#disk?.folder ?? this.#parent, "journal")
    mkdirSync(folder, { recursive: true })
    const { mode } = this.#options
    const settings = { folder, mode, port: this.#address.port, life: this.#lives, runs: this.#runs }
    this.#lives += 1
    const how = { runtime: this.#runtime, onError: (text: string): void => void this.#errors.push(text) }
    this.#server = new ServerProcess(this.#program, settings, how)
    if (this.#lives > 1 && this.#random() < earlyShare) {
      await pause(this.#random() * earlyMostMs)
      this.#early += 1
      await this.#die("sigkill")
      return this.#start()
    }
    const { port, setAside, isWhole, tookMs } = await this.#server.listening
    if (this.#lives > 1) this.#recoveryMs.push(tookMs)
    if (setAside > 0) this.#errors.push(`${setAside} parts were set aside`)
    if (!isWhole && this.#lives > 1) this.#errors.push("the journal is not whole")
    this.#address.port = port
  }

  /** Lets the process live for a while, kills it, and starts the next one. */
  async #kill(): Promise<void> {
    if (this.#random() >= hastyShare) await this.#allHere()
    await pause(this.#random() * lifeMostMs)
    const { death } = this.#options
    if (death === "disk") await this.#fillDisk()
    const atMs = now()
    // A process that dies of its memory, or ends by itself, serves until its end.
    const isSudden = death === "sigkill" || death === "disk"
    if (isSudden) for (const speaker of this.#speakers) speaker.killed(atMs)
    await this.#die(death)
    if (!isSudden) for (const speaker of this.#speakers) speaker.killed(now())
    this.#disk?.empty()
    await pause(this.#random() * gapMostMs)
    await this.#start()
  }

  /** Waits until each client has been back since the last kill, or a client is unlucky. */
  async #allHere(): Promise<void> {
    const untilMs = now() + backMostMs
    while (!this.#speakers.every(({ isHere }) => isHere) && now() < untilMs) await pause(turnMs)
  }

  async #die(death: Death): Promise<void> {
    const exit = String(await this.#server?.die(death))
    this.#exits[exit] = (this.#exits[exit] ?? 0) + 1
    this.#server = undefined
  }

  /** Fills the disk for a time. In half of the cases the process lives until there is space again. */
  async #fillDisk(): Promise<void> {
    this.#disk?.fill()
    await pause((this.#random() * lifeMostMs) / 2)
    if (this.#random() < 0.5) return
    this.#disk?.empty()
    await pause((this.#random() * lifeMostMs) / 2)
  }

  async #talk(proxy: ChaosProxy): Promise<void> {
    let lastMs = now()
    while (this.#isTalking) {
      await pause(turnMs)
      const passedMs = now() - lastMs
      lastMs += passedMs
      for (const speaker of this.#speakers) if (this.#random() < passedMs / talkEveryMs) speaker.talk()
      for (const connection of proxy.connections)
        if (!connection.isClosed && this.#random() < (cutShare * passedMs) / 1_000) connection.cut()
    }
  }

  /** Waits until each call has its outcome, and each client all publications. */
  async #becomeQuiet(): Promise<void> {
    const untilMs = now() + quietMs
    const isComplete = (): boolean =>
      this.#speakers.every(({ isQuiet }) => isQuiet) &&
      this.#roomsOf().every((members) => {
        const count = members.reduce((sum, { requests }) => sum + requests, 0)
        return members.every(({ said }) => said >= count)
      })
    while (!isComplete() && now() < untilMs) await pause(100)
    // Something that is repeated would arrive later.
    await pause(1_000)
  }

  #roomsOf(): Speaker[][] {
    const rooms = new Map<string, Speaker[]>()
    for (const [by, speaker] of this.#speakers.entries()) {
      const members = rooms.get(roomOf(by)) ?? []
      rooms.set(roomOf(by), members)
      members.push(speaker)
    }
    return [...rooms.values()]
  }

  async #result(url: string): Promise<KillResult> {
    const rooms = await Promise.all(
      this.#roomsOf().map(async (members): Promise<RoomRecord> => {
        const clients = members.map((member) => member.record())
        const expected = Math.min(historyCount, clients[0]?.said.length ?? 0)
        const history = await new Observer(url, clients[0]?.by ?? 0).history(expected)
        return { clients, history }
      }),
    )
    const lines = readFileSync(this.#runs, "utf8").split("\n").filter(Boolean)
    return {
      violations: judge(rooms),
      errors: this.#errors,
      outagesMs: this.#speakers.flatMap(({ outagesMs }) => outagesMs),
      requests: this.#sum(({ requests }) => requests),
      arrived: this.#sum(({ arrived }) => arrived),
      connections: this.#proxy?.connections.length ?? 0,
      reruns: lines.length - new Set(lines).size,
      early: this.#early,
      exits: this.#exits,
      recoveryMs: this.#recoveryMs,
    }
  }

  #sum(of: (speaker: Speaker) => number): number {
    return this.#speakers.reduce((sum, speaker) => sum + of(speaker), 0)
  }
}

function now(): number {
  return performance.now()
}

function missingBun(): never {
  throw new Error("Bun is not installed, or does not start")
}
