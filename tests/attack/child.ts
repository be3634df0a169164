// A child process of the runner, and typed requests to it. Must not know the process's task.
import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createRequire } from "node:module"
import { fileURLToPath, pathToFileURL } from "node:url"

const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href

interface Message {
  readonly kind: string
}

export class Child<To extends Message, From extends Message> {
  readonly #name: string
  readonly #process: ChildProcess

  /** `file` is a program of this folder. */
  constructor(name: string, file: string) {
    this.#name = name
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), {
      execArgv: ["-C", "@hawser/source", "--import", loader],
    })
    const killWithUs = (): void => void this.#process.kill("SIGKILL")
    process.once("exit", killWithUs)
    this.#process.once("exit", () => process.off("exit", killWithUs))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Sends a message and resolves with the next answer of this kind. Rejects if the process ends first. */
  ask<K extends From["kind"]>(message: To, kind: K): Promise<Extract<From, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`${this.#name} ended with ${code}`))
      const listener = (answer: From): void => {
        if (!isOf<From, K>(answer, kind)) return
        this.#process.off("message", listener)
        this.#process.off("exit", ended)
        resolve(answer)
      }
      this.#process.on("message", listener)
      this.#process.once("exit", ended)
      this.#process.send(message)
    })
  }

  kill(): void {
    this.#process.kill("SIGKILL")
  }
}

function isOf<From extends Message, K extends From["kind"]>(
  answer: From,
  kind: K,
): answer is Extract<From, { kind: K }> {
  return answer.kind === kind
}

/** In the child: receives the runner's messages, and ends with the runner. */
export function serveParent<To extends Message, From extends Message>(
  onMessage: (message: To, say: (answer: From) => void) => void,
): void {
  const say = (answer: From): void => void process.send?.(answer)
  process.on("message", (message: To) => onMessage(message, say))
  process.on("disconnect", () => process.exit(0))
}
