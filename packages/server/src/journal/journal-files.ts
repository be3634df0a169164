// Port between the journal's file engine and the folder that holds its segments, and its implementation on a real folder.
// Must not know records.
import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from "node:fs"
import { fsync, statSync, write, writeSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

/** Open segment. */
export interface JournalFile {
  /** Identity of the file in its file system. */
  readonly inode: string
  /** Writes the bytes at this position. Returns the number of bytes that were written, which may be fewer. @throws errors of the system. */
  write(bytes: Uint8Array, position: number): number
  /** `write`, outside the event loop. */
  writeLater(bytes: Uint8Array, position: number): Promise<number>
  /** Moves what was written to the disk. After a rejection the file must not be used again: the system may have dropped the bytes. */
  sync(): Promise<void>
  /** Removes the bytes from this position on. */
  truncate(position: number): void
  close(): void
}

/** Folder of a journal. */
export interface JournalFiles {
  /** Names of its files, in ascending order. */
  list(): readonly string[]
  read(name: string): Buffer
  /** Identity and time of the last change of the file or of its attributes, in milliseconds since 1970. */
  stat(name: string): { readonly inode: string; readonly changedMs: number }
  /** Creates a file, readable by its owner alone. @throws if it exists. */
  create(name: string): JournalFile
  /** Opens an existing file to cut its end. */
  open(name: string): JournalFile
  remove(name: string): void
  /** Moves new and removed names to the disk. */
  syncFolder(): Promise<void>
}

const ownerOnly = 0o600
const writeAsync = promisify(write)
const dataSync = promisify(fdatasync)
const folderSync = promisify(fsync)

/** Returns the files of a folder that exists. */
export function nodeFiles(folder: string): JournalFiles {
  return {
    list: () => readdirSync(folder).toSorted(),
    read: (name) => readFileSync(join(folder, name)),
    stat(name) {
      const { ino, ctimeMs } = statSync(join(folder, name), { bigint: true })
      return { inode: String(ino), changedMs: Number(ctimeMs) }
    },
    create: (name) => nodeFile(openSync(join(folder, name), "wx", ownerOnly)),
    open: (name) => nodeFile(openSync(join(folder, name), "r+")),
    remove: (name) => rmSync(join(folder, name), { force: true }),
    async syncFolder() {
      const handle = openSync(folder, "r")
      try {
        await folderSync(handle)
      } finally {
        closeSync(handle)
      }
    },
  }
}

function nodeFile(handle: number): JournalFile {
  return {
    inode: String(fstatSync(handle, { bigint: true }).ino),
    write: (bytes, position) => writeSync(handle, bytes, 0, bytes.length, position),
    async writeLater(bytes, position) {
      const { bytesWritten } = await writeAsync(handle, bytes, 0, bytes.length, position)
      return bytesWritten
    },
    sync: () => dataSync(handle),
    truncate: (position) => ftruncateSync(handle, position),
    close: () => closeSync(handle),
  }
}
