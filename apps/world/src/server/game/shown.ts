// The writing side of a replica, for game objects that set records there. Must not know viewers.

export interface Shown<Fields extends object> {
  set(id: string, fields: Fields): void
  patch(id: string, fields: Partial<Fields>): void
  remove(id: string): boolean
}
