// Hashes and compares passwords: argon2id, off the main thread, with the same work for an unknown name as for a known
// one. Must not know the owner of a password.
import { hash, verify } from "@node-rs/argon2"

export interface Passwords {
  /** Returns a salted hash to store. */
  hash(password: string): Promise<string>
  /** Returns true if the password matches `kept`. Without a stored hash, returns false after the same work. */
  verify(password: string, kept: string | undefined): Promise<boolean>
}

/** The library's defaults: argon2id, 19 MiB, 2 passes, about 26 ms. */
export function createPasswords(): Passwords {
  // Hash of a random password; created once.
  let dummy: Promise<string> | undefined
  const dummyHash = () => (dummy ??= hash(`nobody:${Math.random()}`))
  // Created early, so that the first unknown name does not take twice the time.
  void dummyHash().catch(() => undefined)
  return {
    hash: (password) => hash(password),
    async verify(password, kept) {
      const isRight = await verify(kept ?? (await dummyHash()), password)
      return kept !== undefined && isRight
    },
  }
}
