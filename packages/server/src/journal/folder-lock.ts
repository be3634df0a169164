// Lock of a folder: one process at a time. On Linux an abstract socket, which the kernel releases with its process, excludes the
// processes of one network namespace; a numbered lock file with the process's id and start time excludes those that share
// process ids. Containers that share neither are not excluded. Must not know the content of the folder.
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:net"
import type { Server } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import type { JournalFiles } from "./journal-files.ts"

/** Lock of a folder. */
export interface FolderLock {
  /** Number of this holder: each holder has a higher number than the one before it. */
  readonly generation: number
  release(): void
}

export interface FolderLockOptions {
  readonly folder: string
  readonly files: JournalFiles
  /** Longest wait for another process to end, in milliseconds. */
  readonly waitMs: number
}

const retryMs = 50
const prefix = "lock-"
/** Age above which an empty lock file has no holder, in milliseconds. */
const emptyMaxMs = 1_000

/** Locks a folder. @throws Error with the id of the holding process, after `waitMs`. */
export async function lockFolder(options: FolderLockOptions): Promise<FolderLock> {
  const untilMs = performance.now() + options.waitMs
  for (;;) {
    const socket = await bindSocket(options.folder)
    const holder = socket === "taken" ? "another process" : holderOf(options.files)
    if (socket !== "taken" && holder === undefined) {
      const generation = createLockFile(options.files)
      if (generation !== undefined) return lock(options.files, generation, socket)
    }
    if (socket !== "taken") socket?.close()
    if (performance.now() >= untilMs)
      throw new Error(
        `the journal ${options.folder} is in use by ${holder ?? "another process"}: stop it, or give this server another folder`,
      )
    await pause(retryMs)
  }
}

function lock(files: JournalFiles, generation: number, socket: Server | undefined): FolderLock {
  return {
    generation,
    release() {
      files.remove(fileName(generation))
      socket?.close()
    },
  }
}

/** Binds the abstract socket of a folder. Returns undefined where the system has none. */
function bindSocket(folder: string): Promise<Server | "taken" | undefined> {
  if (process.platform !== "linux" || process.versions["bun"] !== undefined) return Promise.resolve(undefined)
  const { dev, ino } = statSync(folder, { bigint: true })
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve("taken")
      else reject(error)
    })
    server.listen({ path: `\0hawser-journal-${dev}-${ino}` }, () => resolve(server))
    server.unref()
  })
}

/** Returns the holder of the newest lock file in words; undefined if there is none, or its process has ended. */
export function holderOf(files: JournalFiles): string | undefined {
  const newest = lockFiles(files).at(-1)
  if (newest === undefined) return undefined
  const [pid, start] = files.read(fileName(newest)).toString("utf8").split(" ")
  if (start !== undefined) return start === startOf(Number(pid)) ? `process ${pid}` : undefined
  // The file was created and not yet written. A process that has ended between these leaves it so.
  const ageMs = Date.now() - files.stat(fileName(newest)).changedMs
  return ageMs < emptyMaxMs ? "a process that starts" : undefined
}

/** Creates the next lock file, and removes those before it. Returns undefined if another process was first. */
function createLockFile(files: JournalFiles): number | undefined {
  const known = lockFiles(files)
  const generation = (known.at(-1) ?? 0) + 1
  try {
    const file = files.create(fileName(generation))
    file.write(Buffer.from(`${process.pid} ${startOf(process.pid) ?? ""}`), 0)
    file.close()
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined
    throw error
  }
  for (const old of known) files.remove(fileName(old))
  return generation
}

function lockFiles(files: JournalFiles): number[] {
  return files
    .list()
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
}

function fileName(generation: number): string {
  return `${prefix}${String(generation).padStart(8, "0")}`
}

/** Returns the boot and the start time of a process as text; on systems without /proc only if it lives. Undefined if there is none. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program, in parentheses, may hold spaces. The start time is the 20th field after it.
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
    return `${boot}/${start}`
  } catch {
    if (process.platform === "linux") return undefined
  }
  try {
    process.kill(pid, 0)
    return "alive"
  } catch {
    return undefined
  }
}
