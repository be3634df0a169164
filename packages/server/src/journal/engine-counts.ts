// Measurements of a file engine: syncs, refused writes, and the size of the segments on the disk. Must not know files.
import type { EngineStats } from "./journal-engine.ts"

export class EngineCounts {
  syncs = 0
  syncsFailed = 0
  writesRefused = 0
  /** Bytes of the segments that are not written any more. */
  readonly sizes = new Map<number, number>()

  /** @param openBytes size of the segment that is being written. */
  read(openBytes: number): EngineStats {
    let keptBytes = openBytes
    for (const bytes of this.sizes.values()) keptBytes += bytes
    const { syncs, syncsFailed, writesRefused } = this
    return { syncs, syncsFailed, writesRefused, keptBytes }
  }
}
