// The side of a replica that the world's own things need: they put their records there and never look at viewers.

export interface Shown<Fields extends object> {
  set(id: string, fields: Fields): void
  patch(id: string, fields: Partial<Fields>): void
  remove(id: string): boolean
}
