// A replica, for game objects that keep records there. Must not know viewers.

/** The records survive the process: they are the state, not a copy of it. */
export interface Shown<Fields extends object> extends Iterable<[id: string, record: Readonly<Fields>]> {
  readonly size: number
  has(id: string): boolean
  get(id: string): Readonly<Fields> | undefined
  set(id: string, fields: Fields): void
  patch(id: string, fields: Partial<Fields>): void
  remove(id: string): boolean
}
