// One run: a server and clients in separate processes, at the two ends of an emulated link.
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { serverAddress } from "./emulated-link.ts"
import type { EmulatedLink } from "./emulated-link.ts"
import type {
  ClientFigures,
  ClientsSetUp,
  FromClients,
  FromServer,
  ServerFigures,
  ServerSetUp,
  ToClients,
  ToServer,
} from "./protocol.ts"

/** Longer than any answer takes: a process without an answer has failed. */
const answerMs = 300_000

export type RunSetUp = Omit<ServerSetUp, "host"> & Omit<ClientsSetUp, "url">

/** A process at one end, which answers some messages. */
class End<To extends object, From extends { readonly kind: string }> {
  readonly #child: ChildProcess
  readonly #died: Promise<never>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#died = once(child, "exit").then(() => {
      throw new Error("a process of the run has ended")
    })
    // Without a pending answer the rejection has no handler.
    this.#died.catch(() => {})
  }

  send(message: To): void {
    // If the process has ended, the next `ask` rejects.
    this.#child.send(message, () => {})
  }

  async ask<K extends From["kind"]>(message: To, kind: K): Promise<Extract<From, { readonly kind: K }>> {
    const isAnswer = (answer: From): answer is Extract<From, { readonly kind: K }> => answer.kind === kind
    const answered = new Promise<Extract<From, { readonly kind: K }>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(message)}`)), answerMs)
      const onMessage = (answer: From): void => {
        if (!isAnswer(answer)) return
        clearTimeout(timer)
        this.#child.off("message", onMessage)
        resolve(answer)
      }
      this.#child.on("message", onMessage)
    })
    this.send(message)
    return Promise.race([answered, this.#died])
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, "exit")
    this.#child.kill()
    await ended
  }
}

export class Run {
  readonly link: EmulatedLink
  readonly #server: End<ToServer, FromServer>
  readonly #clients: End<ToClients, FromClients>
  readonly #setUp: RunSetUp

  private constructor(link: EmulatedLink, setUp: RunSetUp) {
    this.link = link
    this.#setUp = setUp
    this.#server = new End(link.start("server", join(import.meta.dirname, "server.ts")))
    this.#clients = new End(link.start("client", join(import.meta.dirname, "clients.ts")))
  }

  /** Resolves when all clients are open. @throws Error if they are not within two minutes. */
  static async start(link: EmulatedLink, setUp: RunSetUp): Promise<Run> {
    const run = new Run(link, setUp)
    try {
      await run.#open()
    } catch (error) {
      await run.end()
      throw error
    }
    return run
  }

  async #open(): Promise<void> {
    const { limits, ticksPerSecond, movingRecords, ...clients } = this.#setUp
    const server = { host: serverAddress, limits, ticksPerSecond, movingRecords }
    const { port } = await this.#server.ask({ kind: "start", setUp: server }, "listening")
    this.#clients.send({ kind: "start", setUp: { ...clients, url: `ws://${serverAddress}:${port}/ws` } })
    const { open } = await this.allOpen(120_000)
    if (open < clients.count)
      throw new Error(`only ${open} of ${clients.count} clients are open after two minutes`)
    await this.clientFigures()
  }

  cut(spreadMs: number): void {
    this.#clients.send({ kind: "cut", spreadMs })
  }

  wake(share: number): void {
    this.#clients.send({ kind: "wake", share })
  }

  /** Number of open clients, as soon as all are open, or after the time. */
  allOpen(withinMs: number): Promise<Extract<FromClients, { readonly kind: "open" }>> {
    return this.#clients.ask({ kind: "await", withinMs }, "open")
  }

  /** Figures since the last reading. */
  async clientFigures(): Promise<ClientFigures> {
    return (await this.#clients.ask({ kind: "read" }, "figures")).figures
  }

  /** Figures since the start. */
  async serverFigures(): Promise<ServerFigures> {
    return (await this.#server.ask({ kind: "read" }, "figures")).figures
  }

  async end(): Promise<void> {
    await Promise.all([this.#server.end(), this.#clients.end()])
  }
}
