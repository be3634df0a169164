// Decides how passwords are kept and compared: argon2id, off the main thread, and the same work for a name that does
// not exist as for one that does. Must not know whose password it is.
import { hash, verify } from "@node-rs/argon2"

export interface Passwords {
  /** A salted hash to keep. */
  hash(password: string): Promise<string>
  /** Whether the password made `kept`; without a kept hash, false after the same work. */
  verify(password: string, kept: string | undefined): Promise<boolean>
}

/** The library's defaults: argon2id, 19 MiB, 2 passes, about 26 ms. */
export function createPasswords(): Passwords {
  // Of a password that nobody has; made once, at the first need.
  let dummy: Promise<string> | undefined
  const dummyHash = () => (dummy ??= hash(`nobody:${Math.random()}`))
  // Made early, so that the first unknown name does not take twice the time.
  void dummyHash().catch(() => undefined)
  return {
    hash: (password) => hash(password),
    async verify(password, kept) {
      const isRight = await verify(kept ?? (await dummyHash()), password)
      return kept !== undefined && isRight
    },
  }
}
