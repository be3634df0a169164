// The configurations of docs/deploy with the ports and paths of a test. Must not know which program reads them.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { applied } from "../mutants/mutant.ts"

/** What stands in a configuration exactly once, and what a test has in its place. */
export type Edit = readonly [find: string, replace: string]

const folder = fileURLToPath(new URL("../../docs/deploy/", import.meta.url))

export function documented(file: string): string {
  return readFileSync(`${folder}${file}`, "utf8")
}

/** @throws Error if an edit does not fit: the document has changed. */
export function edited(file: string, edits: readonly Edit[]): string {
  return applied(
    documented(file),
    edits.map(([find, replace]) => ({ find, replace })),
  )
}
