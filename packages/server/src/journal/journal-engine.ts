// Port between the journal and its engine, which keeps records in files or on another server. Must not know operations.

/** Bytes at the start of each record that belong to the engine: it writes the head of its format there. */
export const recordSpace = 20

/** One record of an earlier life. */
interface KeptRecord {
  /** Time of the append, in milliseconds since 1970. */
  readonly atMs: number
  /** A view of a larger buffer. */
  readonly body: Buffer
}

/** Records of earlier lives. */
export interface JournalContent {
  /** Records in the order of `append`. They begin with a round. */
  readonly records: readonly KeptRecord[]
  /**
   * False if records at the end may be missing: the files are a copy, or the machine has stopped without a sync. Then nothing that
   * clients have seen is certain to be in `records`.
   */
  readonly isWhole: boolean
  /** True if the last process was closed: `close(true)`. */
  readonly isClosed: boolean
  /** Bytes of these records. */
  readonly bytes: number
  /** Torn end that was removed, in bytes. */
  readonly tornBytes: number
}

/** Server side of an engine. */
export interface JournalEngineHost {
  /** Receives faults that the engine survives: a full disk, a slow disk, a failed sync. */
  readonly onAlarm: (error: Error) => void
  /**
   * Called when the records before must not be trusted any more. Returns a record of the whole state, with the effect of all
   * records that were appended, also of one that is held, whose bytes are lost; the engine appends it before anything else.
   */
  readonly restate: () => Buffer
}

/** Measurements of an engine since it was created. */
export interface EngineStats {
  /** Times that records were moved to the disk. */
  readonly syncs: number
  /** Syncs that failed; the journal began anew in another file each time. */
  readonly syncsFailed: number
  /** Writes that the disk refused, retries included: it is full, or failing. */
  readonly writesRefused: number
  /** Bytes of all records that are kept. */
  readonly keptBytes: number
}

/** Keeps the records of one server. All records have `recordSpace` bytes for the engine before their body. */
export interface JournalEngine {
  /**
   * Locks the journal and reads it. Called once, first.
   * @throws JournalFormatError for a damaged journal and for another version, Error for one that another process uses.
   */
  open(host: JournalEngineHost): Promise<JournalContent>
  /**
   * Appends a record, which is read until it is appended. Returns undefined once it is kept, or a promise that resolves then. The next
   * record follows after that. A rejection means that the engine was closed.
   */
  append(record: Buffer): Promise<void> | undefined
  /** Begins a round: the next record is the first from which the journal can be read, once `endRound` is called. */
  beginRound(): void
  /** Removes the records before the round. */
  endRound(): void
  /** Bytes since the begin of the current round. */
  readonly roundBytes: number
  /** Returns the measurements. Does no I/O. */
  stats(): EngineStats
  /** Releases the journal. `isClean`: all records are moved to the disk first, and the end is marked. */
  close(isClean: boolean): Promise<void>
}
