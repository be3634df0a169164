// Reads the state of a world's process from /proc and from its metrics. Must not know the attack.
import { readFileSync, readdirSync, readlinkSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"

/** Figures that must return to their values after an attack. */
export interface Standing {
  readonly connections: number
  readonly sessions: number
  readonly timers: number
  readonly passwordHashes: number
  /** HTTP requests without a complete answer, including the one that reads this metric. */
  readonly requests: number
  /** Sockets of the process, listening ones included. */
  readonly sockets: number
}

export const standingNames = [
  "connections",
  "sessions",
  "timers",
  "passwordHashes",
  "requests",
  "sockets",
] as const

export interface Reading {
  /** Since the first reading. */
  readonly atMs: number
  readonly cpuMs: number
}

const readEveryMs = 1_000
/** Time for a collection, which takes less than a tenth of it. */
const collectMs = 1_000
/** `sysconf(_SC_CLK_TCK)` of Linux on every architecture that Node runs on. */
const clockTicksPerSecond = 100

export class WorldWatch {
  readonly #pid: number
  readonly #url: string
  readonly #token: string
  readonly #startedAtMs = performance.now()
  readonly readings: Reading[] = []
  readonly #timer: ReturnType<typeof setInterval>

  constructor({ pid, url, token }: { readonly pid: number; readonly url: string; readonly token: string }) {
    this.#pid = pid
    this.#url = url
    this.#token = token
    this.#timer = setInterval(() => this.read(), readEveryMs)
  }

  get nowMs(): number {
    return performance.now() - this.#startedAtMs
  }

  read(): Reading {
    // The name in parentheses may hold spaces.
    const [, rest = ""] = readFileSync(`/proc/${this.#pid}/stat`, "utf8").split(/\) (?=[A-Z] )/)
    const fields = rest.split(" ")
    const cpuMs = ((Number(fields[11]) + Number(fields[12])) * 1_000) / clockTicksPerSecond
    const reading = { atMs: this.nowMs, cpuMs }
    this.readings.push(reading)
    return reading
  }

  /** Resident bytes of the process after it has collected its garbage. */
  async residentBytes(): Promise<number> {
    process.kill(this.#pid, "SIGUSR2")
    await pause(collectMs)
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8")
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024
  }

  async standing(): Promise<Standing> {
    const answer = await fetch(`${this.#url}/metrics`, {
      headers: { Authorization: `Bearer ${this.#token}`, Connection: "close" },
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`/metrics: ${answer.status} ${text}`)
    return {
      connections: sumOf(text, "hawser_connections"),
      sessions: sumOf(text, "hawser_sessions"),
      timers: sumOf(text, "hawser_timers"),
      passwordHashes: sumOf(text, "world_password_hashes"),
      requests: sumOf(text, "world_requests_under_way"),
      sockets: this.#sockets(),
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sockets(): number {
    const folder = `/proc/${this.#pid}/fd`
    return readdirSync(folder).filter((name) => {
      try {
        return readlinkSync(`${folder}/${name}`).startsWith("socket:")
      } catch {
        // Closed in the meantime.
        return false
      }
    }).length
  }
}

/** Sum of a metric over its labels. Throws if there is none: a renamed metric must not pass for 0. */
function sumOf(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  if (lines.length === 0) throw new Error(`/metrics has no ${name}`)
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)
}
