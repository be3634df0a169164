// Two network namespaces joined by the emulated link of emulator.c: real TCP stacks with kernel buffers at both ends,
// which a proxy cannot give. Needs Linux, root, `ip`, a C compiler and /dev/net/tun. Must not know servers and clients.
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process"
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"

/** One direction of the link. Times in milliseconds and one way, shares in per cent. */
export interface LinkSettings {
  readonly delayMs?: number
  /** The delay is drawn within this distance of `delayMs`; packets of one connection keep their order. */
  readonly jitterMs?: number
  readonly loss?: number
  readonly reorder?: number
  /** Rate of each TCP connection. 0: unlimited. */
  readonly kbitPerSecond?: number
  /** Longest queueing delay of the rate limit. Beyond it the packet is lost. */
  readonly queueMs?: number
}

const direction = z.object({ read: z.number(), lost: z.number(), overflown: z.number() })
const packetCounts = z.object({ up: direction, down: direction })

/** Addresses of RFC 2544, which no real network uses. */
export const serverAddress = "198.18.77.1"
const clientAddress = "198.18.77.2"

/** Properties of a machine that an emulated link needs. */
export interface Machine {
  readonly platform: string
  readonly isRoot: boolean
  hasCommand(name: string): boolean
  canOpen(path: string): boolean
}

const thisMachine: Machine = {
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  hasCommand: (name) => spawnSync(name, ["--version"]).error === undefined,
  canOpen(path) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
      return true
    } catch {
      return false
    }
  },
}

/** Missing property of a machine, as a sentence; undefined if it has everything. */
export function lacking(machine = thisMachine): string | undefined {
  if (machine.platform !== "linux")
    return `An emulated link needs Linux and its network namespaces; this is ${machine.platform}.`
  if (!machine.isRoot)
    return "An emulated link needs root, to create network namespaces and TUN devices: run the command with sudo."
  for (const [name, debianPackage] of [
    ["ip", "iproute2"],
    ["cc", "gcc libc6-dev"],
  ] as const) {
    if (!machine.hasCommand(name))
      return `An emulated link needs the command "${name}": apt-get install ${debianPackage}`
  }
  if (!machine.canOpen("/dev/net/tun"))
    return "An emulated link needs the device /dev/net/tun, which is absent or cannot be opened: modprobe tun"
  return undefined
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`)
}

/** @throws Error with the compiler's messages, also for a warning. */
export function compileEmulator(program: string): void {
  const source = join(import.meta.dirname, "emulator.c")
  run("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program, source])
}

export class EmulatedLink {
  readonly #emulator: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  readonly #directory: string
  readonly #names: { readonly client: string; readonly server: string }

  private constructor(directory: string, seed: number) {
    const id = process.pid.toString(36)
    this.#directory = directory
    this.#names = { client: `hawser-c${id}`, server: `hawser-s${id}` }
    const { client, server } = this.#names
    this.#emulator = spawn(join(directory, "emulator"), [String(seed), client, server])
    this.#emulator.stderr.pipe(process.stderr)
    this.#answers = createInterface({ input: this.#emulator.stdout })[Symbol.asyncIterator]()
  }

  /** @throws Error that names the command which failed. */
  static async open(seed: number): Promise<EmulatedLink> {
    const directory = mkdtempSync(join(tmpdir(), "hawser-link-"))
    compileEmulator(join(directory, "emulator"))
    const link = new EmulatedLink(directory, seed)
    try {
      await link.#answer()
      link.#joinNamespaces()
    } catch (error) {
      link.close()
      throw error
    }
    return link
  }

  #joinNamespaces(): void {
    const { client, server } = this.#names
    for (const [name, address] of [
      [client, clientAddress],
      [server, serverAddress],
    ] as const) {
      run("ip", ["netns", "add", name])
      run("ip", ["link", "set", name, "netns", name])
      run("ip", ["-n", name, "link", "set", "lo", "up"])
      run("ip", ["-n", name, "addr", "add", `${address}/24`, "dev", name])
      run("ip", ["-n", name, "link", "set", name, "up"])
    }
  }

  async #answer(): Promise<string> {
    const answer: IteratorResult<string, unknown> = await this.#answers.next()
    if (answer.done === true) throw new Error("the link emulator has ended")
    if (answer.value.startsWith("error")) throw new Error(`the link emulator: ${answer.value}`)
    return answer.value
  }

  #send(command: string): Promise<string> {
    this.#emulator.stdin.write(`${command}\n`)
    return this.#answer()
  }

  /** Starts a Node program of this repository at one end, with a channel for messages. */
  start(end: "client" | "server", file: string): ChildProcess {
    const program = [process.execPath, "-C", "@hawser/source", "--import", "tsx", file]
    const args = ["netns", "exec", this.#names[end], ...program]
    return spawn("ip", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  }

  async set(settings: LinkSettings, direction: "up" | "down" | "both" = "both"): Promise<void> {
    const { delayMs = 0, jitterMs = 0, loss = 0, reorder = 0, kbitPerSecond = 0, queueMs = 1_000 } = settings
    const words = { delay: delayMs, jitter: jitterMs, loss, reorder, rate: kbitPerSecond, queue: queueMs }
    const pairs = Object.entries(words).map(([name, value]) => `${name}=${value}`)
    await this.#send(`set ${direction} ${pairs.join(" ")}`)
  }

  /** Stops all packets for a while, in either direction. */
  async block(ms: number): Promise<void> {
    await this.#send("block")
    await sleep(ms)
    await this.#send("unblock")
  }

  /** Resets every TCP connection at both ends. Returns their number. */
  async reset(): Promise<number> {
    return Number(await this.#send("reset"))
  }

  /** Drops all further packets of the current TCP connections, as a NAT that has lost its table. */
  async forget(): Promise<number> {
    return Number(await this.#send("forget"))
  }

  /** Packets since the start, and those that were lost or found the queue full, in both directions together. */
  async packets(): Promise<{ readonly read: number; readonly lost: number; readonly overflown: number }> {
    const { up, down } = packetCounts.parse(JSON.parse(await this.#send("stats")))
    return {
      read: up.read + down.read,
      lost: up.lost + down.lost,
      overflown: up.overflown + down.overflown,
    }
  }

  /** Removes the namespaces and the emulator. Idempotent. */
  close(): void {
    this.#emulator.stdin.end()
    for (const name of Object.values(this.#names)) spawnSync("ip", ["netns", "del", name])
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
