// The tests' end of a process that runs servers under Bun.
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import type { ServerControl, ServerSpec } from "./server-program.ts"

/** Undefined if Bun is not installed or does not start. */
export function findBun(): string | undefined {
  const path = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url))
  return spawnSync(path, ["--version"]).status === 0 ? path : undefined
}

const reply = z.object({
  id: z.number(),
  value: z.unknown().optional(),
  error: z.object({ message: z.string(), code: z.string().optional() }).optional(),
})

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class BunHost {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #count = 0
  /** Reason why calls are no longer possible. */
  #end: Error | undefined

  constructor(bun: string) {
    const script = fileURLToPath(new URL("bun-host.ts", import.meta.url))
    this.#child = spawn(bun, ["--conditions", "@hawser/source", script], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "json",
    })
    this.#child.on("message", (content) => this.#settle(content))
    this.#child.on("error", (error) => this.#stopAsking(error))
    this.#child.on("exit", (code, signal) =>
      this.#stopAsking(new Error(`Bun ended with ${signal ?? String(code)}`)),
    )
  }

  async create(spec: ServerSpec): Promise<ServerControl> {
    const server = z.number().parse(await this.#call(-1, "create", [spec]))
    // Both ends implement the same interface; results are not validated.
    const ask =
      <T>(method: keyof ServerControl) =>
      async (...args: readonly unknown[]): Promise<T> =>
        z.custom<T>().parse(await this.#call(server, method, args))
    return {
      listen: ask("listen"),
      close: ask("close"),
      stats: ask("stats"),
      sessionsOf: ask("sessionsOf"),
      send: ask("send"),
      broadcast: ask("broadcast"),
      endSessions: ask("endSessions"),
      admit: ask("admit"),
      handled: ask("handled"),
      verified: ask("verified"),
      aborted: ask("aborted"),
      ended: ask("ended"),
      errors: ask("errors"),
      warnings: ask("warnings"),
    }
  }

  async stop(): Promise<void> {
    if (this.#end !== undefined) return
    const ended = once(this.#child, "exit")
    this.#child.disconnect()
    await ended
  }

  #call(server: number, method: string, args: readonly unknown[]): Promise<unknown> {
    this.#count += 1
    const id = this.#count
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, server, method, args })
    })
  }

  #stopAsking(why: Error): void {
    this.#end ??= why
    for (const { reject } of this.#waiting.values()) reject(why)
    this.#waiting.clear()
  }

  #settle(content: unknown): void {
    const { id, value, error } = reply.parse(content)
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(Object.assign(new Error(error.message), { code: error.code }))
  }
}
