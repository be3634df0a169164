// Writes the log's lines to a file descriptor. A line that cannot be written is dropped and counted. A failure of the
// log neither throws, nor blocks, nor ends the process. Must not know the content of a line.
import { fstatSync, writeSync } from "node:fs"
import type { Writable } from "node:stream"
import { isatty } from "node:tty"

/** Maximum number of bytes queued for a pipe or a terminal that is not read; beyond it, lines are dropped. */
const waitingMaxBytes = 1024 * 1024

/** Writes one line, which ends with a newline. Returns false if the line was dropped. */
type WriteLine = (line: string) => boolean

export interface LogOutput {
  /** Writes one line. pino requires this name. */
  write(line: string): void
  /** Number of lines that were dropped so far. */
  readonly lostCount: number
  /** Resolves when the queue is empty, after `withinMs` at the latest. */
  flush(withinMs: number): Promise<void>
}

export type LogTarget =
  /** A regular file or a device. */
  | { readonly kind: "file"; readonly fd: number }
  /** Node's stream of a pipe, a socket or a terminal. It queues bytes that the reader does not take. */
  | { readonly kind: "stream"; readonly stream: Writable }

export interface LogOutputOptions {
  readonly target: LogTarget
  /** Called once at the first dropped line. */
  readonly onLosing: (reason: string) => void
  /** Called at the first written line after `count` dropped lines. */
  readonly onRecovered: (count: number) => void
}

export function createLogOutput({ target, onLosing, onRecovered }: LogOutputOptions): LogOutput {
  let lostCount = 0
  let lostInARow = 0
  const lose = (reason: string): void => {
    lostCount += 1
    lostInARow += 1
    if (lostInARow === 1) onLosing(reason)
  }
  const writeLine = target.kind === "file" ? fileWriter(target.fd, lose) : streamWriter(target.stream, lose)
  return {
    write(line) {
      if (!writeLine(line) || lostInARow === 0) return
      const count = lostInARow
      lostInARow = 0
      onRecovered(count)
    },
    get lostCount() {
      return lostCount
    },
    flush: async (withinMs) => {
      if (target.kind === "stream") await drained(target.stream, withinMs)
    },
  }
}

/**
 * Returns the target of a descriptor of the process; `stream` is Node's stream for it. A closed descriptor is a file
 * whose writes fail.
 */
export function logTargetOf(fd: number, stream: Writable): LogTarget {
  try {
    const kind = fstatSync(fd)
    if (kind.isFIFO() || kind.isSocket() || isatty(fd)) return { kind: "stream", stream }
  } catch {
    // Closed.
  }
  return { kind: "file", fd }
}

/** Tries every line, because a full disk may have space again. A try costs one system call. */
function fileWriter(fd: number, lose: (reason: string) => void): WriteLine {
  // True while the file ends with an incomplete line, because the disk became full in its middle.
  let isTorn = false
  return (line) => {
    const bytes = Buffer.from(isTorn ? `\n${line}` : line)
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written)
      isTorn = false
      return true
    } catch (error) {
      isTorn ||= written > 0
      lose(reasonOf(error))
      return false
    }
  }
}

function streamWriter(stream: Writable, lose: (reason: string) => void): WriteLine {
  // For example EPIPE, after the reader of a pipe has ended. Node then destroys the stream, and every later line is
  // dropped.
  stream.on("error", (error) => lose(reasonOf(error)))
  return (line) => {
    if (stream.destroyed || !stream.writable) {
      lose("closed")
      return false
    }
    if (stream.writableLength > waitingMaxBytes) {
      lose("its reader does not read")
      return false
    }
    stream.write(line)
    return true
  }
}

function drained(stream: Writable, withinMs: number): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs)
    // Called after all earlier writes, or with an error.
    stream.write("", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return "code" in error && typeof error.code === "string" ? error.code : error.message
}
