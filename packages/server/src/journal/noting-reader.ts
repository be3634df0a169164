// A reader of records that notes the fields as they are read, so that an operation can be shown in words. Must not know operations.
import { RecordReader } from "./record-reader.ts"

/** A field: a number, a text, a flag, bytes, or a list of numbers. */
export type Field = number | string | boolean | Uint8Array | readonly number[]

export class NotingReader extends RecordReader {
  /** Fields since they were last taken. */
  #fields: Field[] = []
  /** Above 0 while a field is read that consists of others. */
  #depth = 0

  /** Returns the fields since the last call, in the order in which they were read. */
  take(): readonly Field[] {
    const fields = this.#fields
    this.#fields = []
    return fields
  }

  override count(): number {
    return this.#note(() => super.count())
  }

  override integer(): number {
    return this.#note(() => super.integer())
  }

  override word(): number {
    return this.#note(() => super.word())
  }

  override flag(): boolean {
    return this.#note(() => super.flag())
  }

  override text(): string {
    return this.#note(() => super.text())
  }

  override blob(): Buffer {
    return this.#note(() => super.blob())
  }

  override numbers(): number[] {
    return this.#note(() => super.numbers())
  }

  override times(): number[] {
    return this.#note(() => super.times())
  }

  #note<T extends Field>(read: () => T): T {
    this.#depth += 1
    try {
      const value = read()
      if (this.#depth === 1) this.#fields.push(value)
      return value
    } finally {
      this.#depth -= 1
    }
  }
}
