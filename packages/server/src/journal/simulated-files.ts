// Files of a journal in memory, for tests: any write can be short or fail, a sync can fail, and a process can end after any byte.
// Time is the caller's. Must not know records.
import type { JournalFile, JournalFiles } from "./journal-files.ts"

interface Stored {
  bytes: Buffer
  inode: number
  changedMs: number
  /** Bytes at the start that a loss of power leaves. */
  syncedBytes: number
}

/** A new or removed name that was not moved to the disk. */
interface NameChange {
  readonly name: string
  readonly stored: Stored
  readonly isRemoved: boolean
}

/** Faults of a simulated disk. */
export interface DiskFaults {
  /** Bytes that the disk still takes; more fail with ENOSPC, after a short write. Default: no bound. */
  freeBytes: number
  /** True: syncs reject. */
  failsSync: boolean
  /** Called before each write; may let time pass. */
  beforeWrite: () => void
  /** Awaited by syncs and by writes outside the event loop. */
  pause: () => Promise<void>
  /** Called before each write of `bytes`. Returns the number that reach the disk before the process ends; undefined: it goes on. */
  endsAfter: (bytes: number) => number | undefined
}

/** Disk of one machine. It outlives the processes that use it. */
export class SimulatedDisk {
  readonly faults: DiskFaults = {
    freeBytes: Number.POSITIVE_INFINITY,
    failsSync: false,
    beforeWrite: () => {},
    pause: () => Promise.resolve(),
    endsAfter: () => undefined,
  }
  readonly #stored = new Map<string, Stored>()
  readonly #nowMs: () => number
  /** Changes of names since the last sync of the folder, in their order. */
  #nameChanges: NameChange[] = []
  #inodes = 0
  /** Number of syncs that have resolved. */
  syncCount = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Returns a copy of all files. */
  copy(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#stored].map(([name, { bytes }]) => [name, Buffer.from(bytes)]))
  }

  /** Replaces all files by copies: with the same inodes, as `cp` does over existing files, if `keepsInodes`. */
  restore(copy: ReadonlyMap<string, Uint8Array>, keepsInodes = false): void {
    const before = new Map(this.#stored)
    this.#stored.clear()
    this.#nameChanges = []
    for (const [name, bytes] of copy) {
      const inode = keepsInodes ? (before.get(name)?.inode ?? this.#nextInode()) : this.#nextInode()
      const changedMs = this.#nowMs()
      this.#stored.set(name, { bytes: Buffer.from(bytes), inode, changedMs, syncedBytes: bytes.length })
    }
  }

  /**
   * Loses what was not moved to the disk: names from a drawn change on, and bytes of each file from a drawn place on. `draw` returns
   * a whole number from `least` to `most`.
   */
  losePower(draw: (least: number, most: number) => number): void {
    const changes = this.#nameChanges
    const kept = draw(0, changes.length)
    for (const { name, stored, isRemoved } of changes.slice(kept).toReversed()) {
      if (isRemoved) this.#stored.set(name, stored)
      else this.#stored.delete(name)
    }
    this.#nameChanges = []
    for (const stored of this.#stored.values()) {
      const length = draw(Math.min(stored.syncedBytes, stored.bytes.length), stored.bytes.length)
      stored.bytes = stored.bytes.subarray(0, length)
      stored.syncedBytes = length
    }
  }

  /** Cuts a file without a change of its times: the bytes were never written. */
  cut(name: string, length: number): void {
    const stored = this.#get(name)
    stored.bytes = stored.bytes.subarray(0, length)
  }

  /** Returns the files of one process. After `end` it changes nothing. */
  files(): JournalFiles & { end(): void } {
    let hasEnded = false
    const alive = (): void => {
      if (hasEnded) throw new Error("the process has ended")
    }
    return {
      list: () => [...this.#stored.keys()].toSorted(),
      read: (name) => Buffer.from(this.#get(name).bytes),
      stat: (name) => ({ inode: String(this.#get(name).inode), changedMs: this.#get(name).changedMs }),
      create: (name) => {
        alive()
        if (this.#stored.has(name)) throw Object.assign(new Error(`${name} exists`), { code: "EEXIST" })
        const [inode, changedMs] = [this.#nextInode(), this.#nowMs()]
        const stored = { bytes: Buffer.alloc(0), inode, changedMs, syncedBytes: 0 }
        this.#stored.set(name, stored)
        this.#nameChanges.push({ name, stored, isRemoved: false })
        return this.#file(name, alive)
      },
      open: (name) => this.#file(name, alive),
      remove: (name) => {
        alive()
        const stored = this.#stored.get(name)
        if (stored !== undefined) this.#nameChanges.push({ name, stored, isRemoved: true })
        this.#stored.delete(name)
      },
      syncFolder: async () => {
        const count = this.#nameChanges.length
        await this.#sync(alive)
        this.#nameChanges.splice(0, count)
      },
      end: () => (hasEnded = true),
    }
  }

  #file(name: string, alive: () => void): JournalFile {
    return {
      inode: String(this.#get(name).inode),
      write: (bytes, position) => {
        alive()
        return this.#write(name, bytes, position)
      },
      writeLater: async (bytes, position) => {
        await this.faults.pause()
        alive()
        return this.#write(name, bytes, position)
      },
      sync: async () => {
        const stored = this.#get(name)
        const { length } = stored.bytes
        await this.#sync(alive)
        stored.syncedBytes = Math.min(length, stored.bytes.length)
      },
      truncate: (position) => {
        alive()
        const stored = this.#get(name)
        this.faults.freeBytes += Math.max(0, stored.bytes.length - position)
        stored.bytes = stored.bytes.subarray(0, position)
        stored.syncedBytes = Math.min(stored.syncedBytes, position)
        stored.changedMs = this.#nowMs()
      },
      close: () => {},
    }
  }

  #write(name: string, bytes: Uint8Array, position: number): number {
    this.faults.beforeWrite()
    const stored = this.#get(name)
    const last = this.faults.endsAfter(bytes.length)
    // Bytes within the file need no space.
    const within = Math.max(0, Math.min(bytes.length, stored.bytes.length - position))
    const written = Math.min(last ?? bytes.length, within + this.faults.freeBytes)
    stored.changedMs = this.#nowMs()
    if (written === 0 && bytes.length > 0 && last === undefined)
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })
    this.faults.freeBytes -= Math.max(0, written - within)
    const after = stored.bytes.subarray(position + written)
    stored.bytes = Buffer.concat([stored.bytes.subarray(0, position), bytes.subarray(0, written), after])
    if (last !== undefined) throw new Error("the process has ended")
    return written
  }

  async #sync(alive: () => void): Promise<void> {
    await this.faults.pause()
    alive()
    if (this.faults.failsSync) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" })
    this.syncCount += 1
  }

  #get(name: string): Stored {
    const stored = this.#stored.get(name)
    if (stored === undefined) throw Object.assign(new Error(`no file ${name}`), { code: "ENOENT" })
    return stored
  }

  #nextInode(): number {
    this.#inodes += 1
    return this.#inodes
  }
}
