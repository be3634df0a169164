// Keeps the signing secret of a machine without `JWT_SECRET`: a file that only its owner may read, created at the first
// start. Must not know what the secret signs.
import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

/**
 * Reads the secret in `path`, or creates it there with mode 0600. Returns a problem if the file is unusable or holds
 * fewer than `minBytes`.
 */
export function keptSecret(path: string, minBytes: number): string | { readonly problem: string } {
  try {
    const kept = readOrCreate(path)
    if (Buffer.byteLength(kept) >= minBytes) return kept
    return {
      problem: `JWT_SECRET is not set and ${path} holds fewer than ${minBytes} bytes; delete that file, or set it.`,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return {
      problem: `JWT_SECRET is not set and none can be kept in ${path} (${reason}); set it, or make the folder writable.`,
    }
  }
}

function readOrCreate(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const secret = randomBytes(48).toString("base64url")
  try {
    writeFileSync(path, secret, { flag: "wx", mode: 0o600 })
    return secret
  } catch (error) {
    // An earlier start created the file: `wx` never overwrites it.
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      return readFileSync(path, "utf8").trim()
    throw error
  }
}
