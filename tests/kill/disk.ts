// A small file system of its own, which can be filled. Needs Linux and root.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Twice the bytes of a round of the journal, and room for the state of its sessions. */
const sizeMib = 96
const fillerMib = 1

/** Returns true if this process may mount a file system. */
export function canMount(): boolean {
  const parent = mkdtempSync(join(tmpdir(), "hawser-disk-"))
  try {
    new SmallDisk(parent).unmount()
    return true
  } catch {
    return false
  } finally {
    rmSync(parent, { recursive: true })
  }
}

export class SmallDisk {
  readonly folder: string
  readonly #filler: string

  /** Mounts a tmpfs in `parent`. @throws Error without the permission. */
  constructor(parent: string) {
    this.folder = join(parent, "disk")
    this.#filler = join(this.folder, "filler")
    mkdirSync(this.folder)
    const { status, stderr, error } = spawnSync(
      "mount",
      ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "none", this.folder],
      { encoding: "utf8" },
    )
    if (status !== 0)
      throw new Error(
        `a full disk needs a tmpfs, which needs Linux and root: ${error?.message ?? stderr.trim()}`,
      )
  }

  /** Takes the whole rest of the space. */
  fill(): void {
    const bytes = Buffer.alloc(fillerMib * 1024 * 1024)
    try {
      for (;;) writeFileSync(this.#filler, bytes, { flag: "a" })
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error
    }
  }

  /** Returns the space. */
  empty(): void {
    rmSync(this.#filler, { force: true })
  }

  unmount(): void {
    spawnSync("umount", [this.folder])
  }
}
