// The command line of the soak: a server in a separate process, and clients that are cut, reloaded and moved for
// minutes. Exit code 0: memory grew by less than 1 MiB a minute, and nothing was lost, repeated or reordered; 1: one of
// these failed; 2: the arguments cannot be used.
import { fork } from "node:child_process"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { FromServer, Rest, ServerReport, ToServer } from "./contract.ts"
import { Player } from "./player.ts"
import type { Tally } from "./player.ts"
import { growth } from "./slope.ts"
import type { Sample } from "./slope.ts"

const usage = `usage: npm run soak -- [options]

  --minutes N   how long, a third of it but 4 minutes at most as warm-up (12)
  --clients N   (600)
  --help        show this`

const mib = 1024 * 1024
const growthMaxMibPerMinute = 1
const sampleMs = 10_000
const drainEveryMs = 120_000
const rooms = 20

class SoakProcess {
  readonly #child = fork(fileURLToPath(new URL("server.ts", import.meta.url)), {
    execArgv: ["--expose-gc", "-C", "@hawser/source", "--import", "tsx"],
  })

  say(message: ToServer): void {
    this.#child.send(message)
  }

  /** The next message of this kind. Rejects when the process has ended. */
  ask<K extends FromServer["kind"]>(message: ToServer, kind: K): Promise<Extract<FromServer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const gone = (code: number | null): void => reject(new Error(`the server ended with ${code}`))
      const listener = (answer: FromServer): void => {
        if (!isOf(answer, kind)) return
        this.#child.off("message", listener)
        this.#child.off("exit", gone)
        resolve(answer)
      }
      this.#child.on("message", listener)
      this.#child.once("exit", gone)
      this.say(message)
    })
  }
}

function isOf<K extends FromServer["kind"]>(
  answer: FromServer,
  kind: K,
): answer is Extract<FromServer, { kind: K }> {
  return answer.kind === kind
}

class Soak {
  readonly #server = new SoakProcess()
  readonly #tally: Tally = { requests: 0, events: 0, lost: 0, repeated: 0, resets: [], errors: [] }
  readonly #samples: Sample[] = []
  #players: Player[] = []
  #counts = { cuts: 0, reloads: 0, drains: 0, misplaced: 0, slowConsumers: 0, conflations: 0 }
  #deltaBytesMost = 0

  async run(minutes: number, clients: number): Promise<boolean> {
    const names = Array.from({ length: clients }, (_, index) => `player ${index}`)
    const { port } = await this.#server.ask({ kind: "start", walkers: names }, "listening")
    const how = { url: `ws://127.0.0.1:${port}/ws`, tally: this.#tally }
    for (const [index, name] of names.entries()) {
      this.#players.push(new Player(name, String(index % rooms), how))
      if (index % 20 === 19) await pause(50)
    }
    await this.#last(minutes * 60_000)
    const faults = await this.#faults()
    for (const player of this.#players) player.close()
    this.#server.say({ kind: "end" })
    return this.#tell({ minutes, clients, faults })
  }

  async #last(forMs: number): Promise<void> {
    const startMs = performance.now()
    let [lastMs, sampleAtMs, drainAtMs] = [0, 0, drainEveryMs / 2]
    for (let nowMs = 0; nowMs < forMs; nowMs = performance.now() - startMs) {
      this.#disturb(nowMs - lastMs)
      lastMs = nowMs
      if (nowMs >= drainAtMs) {
        drainAtMs += drainEveryMs
        this.#counts.drains += 1
        this.#server.say({ kind: "drain" })
      }
      if (nowMs >= sampleAtMs) {
        sampleAtMs += sampleMs
        await this.#sample(nowMs)
      }
      await pause(100)
    }
  }

  /** Each client sends a request about every 2 s, is cut about every 100 s, and reloaded about every 300 s. */
  #disturb(passedMs: number): void {
    const isTime = (everyMs: number): boolean => Math.random() < passedMs / everyMs
    for (const player of this.#players) {
      if (isTime(2_000)) player.ask()
      if (isTime(10_000)) player.hail()
      if (isTime(100_000)) {
        this.#counts.cuts += 1
        player.cut()
      }
      if (isTime(300_000)) {
        this.#counts.reloads += 1
        player.reload(Math.random() < 0.25)
      }
    }
  }

  async #sample(atMs: number): Promise<void> {
    const { report } = await this.#server.ask({ kind: "measure" }, "measured")
    this.#note(report)
    this.#samples.push({ atMs, bytes: report.heapBytes })
    if (this.#samples.length % 3 !== 1) return
    const { heapBytes, deltaBytes, sessions } = report
    const open = this.#players.filter(({ isOpen }) => isOpen).length
    console.log(
      `${(atMs / 60_000).toFixed(1)} min: ${(heapBytes / mib).toFixed(1)} MiB, ${Math.round(deltaBytes / 1024)} KiB of deltas, ${sessions} sessions, ${open} clients open`,
    )
  }

  #note({ misplaced, slowConsumers, conflations, deltaBytes, errors }: ServerReport): void {
    Object.assign(this.#counts, { misplaced, slowConsumers, conflations })
    this.#deltaBytesMost = Math.max(this.#deltaBytesMost, deltaBytes)
    this.#tally.errors.push(...errors)
  }

  /** Stops all movement: messages under way arrive, and every copy must match the server. */
  async #faults(): Promise<string[]> {
    let rest: Rest | undefined
    for (let second = 0; second < 60; second += 1) {
      await pause(1_000)
      rest = (await this.#server.ask({ kind: "rest" }, "rests")).rest
      const isQuiet = this.#players.every(({ isOpen, pending }) => isOpen && pending === 0)
      if (second >= 5 && isQuiet) break
    }
    this.#note((await this.#server.ask({ kind: "measure" }, "measured")).report)
    const notOpen = this.#players.flatMap(({ name, isOpen, pending }) =>
      isOpen && pending === 0 ? [] : [`${name} is not open, or waits for a reply`],
    )
    return rest === undefined
      ? notOpen
      : [...notOpen, ...this.#players.flatMap((player) => player.faults(rest))]
  }

  #tell({
    minutes,
    clients,
    faults,
  }: {
    minutes: number
    clients: number
    faults: readonly string[]
  }): boolean {
    const { requests, events, lost, repeated, resets, errors } = this.#tally
    const { cuts, reloads, drains, misplaced, slowConsumers, conflations } = this.#counts
    const warmUpMs = Math.min(minutes / 3, 4) * 60_000
    const slope = growth(this.#samples, warmUpMs)
    const [first, last] = [this.#samples.find(({ atMs }) => atMs >= warmUpMs), this.#samples.at(-1)]
    const mibOf = (sample: Sample | undefined): string => ((sample?.bytes ?? 0) / mib).toFixed(1)
    for (const line of [...errors, ...faults].slice(0, 20)) console.log(line)
    const wrong = lost + repeated + misplaced + resets.length + errors.length + faults.length
    const isGood = slope < growthMaxMibPerMinute && wrong === 0
    console.log(
      `${minutes} min, ${clients} clients: ${mibOf(first)} to ${mibOf(last)} MiB after the warm-up, ${slope.toFixed(2)} MiB a minute, ` +
        `${Math.round(this.#deltaBytesMost / 1024)} KiB of deltas at most; ${requests} requests, ${events} events, ${cuts} cuts, ` +
        `${reloads} reloads, ${drains} drains, ${conflations} conflations, ${slowConsumers} slow consumers; ` +
        `${lost} lost, ${repeated} repeated, ${misplaced} misplaced, ${resets.length} resets (${[...new Set(resets)].join(", ") || "none"}), ${errors.length} errors, ` +
        `${faults.length} faults: ${isGood ? "good" : "BAD"}`,
    )
    return isGood
  }
}

function chosen(): { readonly minutes: number; readonly clients: number } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "12" },
        clients: { type: "string", default: "600" },
        help: { type: "boolean", default: false },
      },
    })
    const [minutes, clients] = [Number(values.minutes), Number(values.clients)]
    if (!values.help && minutes > 0 && Number.isInteger(clients) && clients > 0) return { minutes, clients }
    console.log(usage)
    process.exitCode = values.help ? 0 : 2
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exitCode = 2
  }
  return undefined
}

const options = chosen()
if (options !== undefined) {
  const isGood = await new Soak().run(options.minutes, options.clients)
  process.exit(isGood ? 0 : 1)
}
