// Declares an entry of HAVE.

/** Cells of a replica that a resuming client holds. */
export interface ReplicaHold {
  /** Name of the replica. */
  readonly replica: string
  /** Epoch from REPLICA. Absent: the server sent none. */
  readonly epoch?: string
  /** Topic from REPLICA. Absent: it belongs to none. */
  readonly topic?: string
  /** Held cells with their versions. */
  readonly cells: readonly {
    /** Column of the cell, counted in cells. */
    readonly x: number
    /** Row of the cell, counted in cells. */
    readonly y: number
    /** Version of the client's copy: number of the last applied change. */
    readonly version: number
  }[]
}
