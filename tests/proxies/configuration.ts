// The configurations of docs/deploy with the ports and paths of a test. Must not know which program reads them.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { applied } from "../mutants/mutant.ts"

/** A text that occurs in a configuration exactly once, and its replacement in a test. */
export type Edit = readonly [find: string, replace: string]

const folder = fileURLToPath(new URL("../../docs/deploy/", import.meta.url))

export function documented(file: string): string {
  return readFileSync(`${folder}${file}`, "utf8")
}

/** @throws Error if an edit does not fit, because the document has changed. */
export function edited(file: string, edits: readonly Edit[]): string {
  return applied(
    documented(file),
    edits.map(([find, replace]) => ({ find, replace })),
  )
}
