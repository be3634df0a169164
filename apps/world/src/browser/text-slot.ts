// One text in the browser's storage. A browser may refuse storage: then the text lives as long as the page.

export interface TextSlot {
  /** Returns the text; undefined if there is none. */
  read(): string | undefined
  /** Stores the text; undefined removes it. */
  write(text: string | undefined): void
}

/** `storage` is a function, because the access itself throws in a browser that refuses storage. */
export function textSlot(storage: () => Storage, key: string): TextSlot {
  /** The text that the storage has refused. */
  let refused: string | undefined
  return {
    read() {
      try {
        return refused ?? storage().getItem(key) ?? undefined
      } catch {
        return undefined
      }
    },
    write(text) {
      refused = undefined
      try {
        if (text === undefined) storage().removeItem(key)
        else storage().setItem(key, text)
      } catch {
        refused = text
      }
    },
  }
}

/** Returns the JSON in a slot; undefined if there is none. */
export function jsonOf(slot: TextSlot): unknown {
  try {
    const value: unknown = JSON.parse(slot.read() ?? "")
    return value
  } catch {
    return undefined
  }
}
