// A journal in a folder of this machine. Creates the folder, its key, and the engine. Must not know operations.
import { randomBytes, randomUUID } from "node:crypto"
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { hostname, uptime } from "node:os"
import { join, resolve } from "node:path"
import { assertOptions, quoted } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import { FileEngine } from "./file-engine.ts"
import { lockFolder } from "./folder-lock.ts"
import { nodeFiles } from "./journal-files.ts"
import type { Origin } from "./read-segments.ts"
import type { JournalOption } from "./server-journal.ts"

/** Options of `fileJournal`. */
export interface FileJournalOptions {
  /**
   * `kill` (default): records are written before output leaves, so they survive the end of the process; they are synced in the
   * background, about every 100 ms. `power`: they are also synced before output leaves, so they survive a loss of power.
   */
  readonly mode?: "kill" | "power"
  /** Longest wait for another process that uses the folder, in milliseconds; default 10,000. Then `listen` rejects. */
  readonly waitMs?: number
}

const optionTable: OptionTable<FileJournalOptions> = { mode: "any", waitMs: "ms" }
/** Bytes that a start reads at most, about; a quarter of a second on a fast disk. */
const roundBytes = 32 * 1024 * 1024
/** Deliveries that a start reads at most, about: each takes 180 ns. */
const roundDeliveries = 2_000_000
const stepMs = 2
const syncEveryMs = 100
/** Length of the secret of resume tokens. */
export const keyBytes = 32
/** Name of the file with the secret of resume tokens. */
export const keyName = "resume-key"

/**
 * Returns the option `journal` of `createServer` for a folder of this machine, which is created if it is missing. Sessions,
 * topics and outcomes of requests continue in the next process on the same folder. The folder holds payloads in clear, readable by
 * its owner alone.
 * @throws TypeError for an unknown option or mode, RangeError for a key of another length, and errors of the file system.
 */
export function fileJournal(folder: string, options: FileJournalOptions = {}): JournalOption {
  assertOptions("fileJournal", options, optionTable)
  const { mode = "kill", waitMs = 10_000 } = options
  assertMode(mode)
  const path = resolve(folder)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const files = nodeFiles(path)
  return {
    resumeKey: keyOf(path),
    limits: { roundBytes, roundDeliveries, stepMs },
    createEngine: ({ clock, wallClockMs }) =>
      new FileEngine({
        mode,
        files,
        origin: originOf(),
        lock: () => lockFolder({ folder: path, files, waitMs }),
        syncEveryMs,
        after: (ms, run) => clock.schedule(ms, run),
        now: () => clock.now(),
        wallClockMs,
      }),
  }
}

/** @throws TypeError for a value of untyped code that is no mode. */
function assertMode(mode: unknown): void {
  if (mode !== "kill" && mode !== "power")
    throw new TypeError(`the option mode of fileJournal must be "kill" or "power", not ${quoted(mode)}`)
}

/** Returns the secret of resume tokens; creates it in a new folder. */
function keyOf(folder: string): Uint8Array {
  const file = join(folder, keyName)
  if (!existsSync(file)) createKey(folder, file)
  const key = readFileSync(file)
  if (key.length !== keyBytes)
    throw new RangeError(
      `${file} has ${key.length} bytes, not ${keyBytes}: restore it from a copy, or delete it, which ends all sessions`,
    )
  return key
}

/** The key has its name only when it is on the disk: a process that ends, or another one that reads, finds no half of a key. */
function createKey(folder: string, file: string): void {
  const draft = join(folder, `${keyName}.${randomUUID()}`)
  writeFileSync(draft, randomBytes(keyBytes), { flag: "wx", mode: 0o600, flush: true })
  try {
    linkSync(draft, file)
  } catch (error) {
    // Another process has just created it.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  } finally {
    rmSync(draft)
  }
}

/** Returns the identity of this machine and of its start. Without /proc the time of the start stands for it. */
export function originOf(): Origin {
  const startedAtMs = Date.now() - uptime() * 1_000
  return {
    host: textOf("/etc/machine-id") ?? hostname(),
    boot: textOf("/proc/sys/kernel/random/boot_id") ?? String(Math.round(startedAtMs / 60_000)),
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return undefined
  }
}
