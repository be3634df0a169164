// Tells the operator at the start which sessions the world continues.
import type { Recovery } from "@hawser/server/journal"

const bytesPerMegabyte = 1_000_000

/** Returns one sentence. */
export function recoverySentence(recovery: Recovery): string {
  const { sessions, topics, records, bytes, tookMs, isWhole, setAside } = recovery
  if (records === 0) return "The journal is new: players begin where the database has them."
  const read = `${megabytes(bytes)} in ${Math.round(tookMs)} ms`
  const parts = [
    `The journal continued ${count(sessions, "session")}, ${count(topics, "topic")}, ${count(records, "record")}: ${read}.`,
  ]
  if (!isWhole) parts.push("It may lack its last records: it is a copy, or the machine has lost power.")
  if (setAside > 0)
    parts.push(`${count(setAside, "part")} of it could not be restored; the log has the causes.`)
  return parts.join(" ")
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`
}

function megabytes(bytes: number): string {
  return bytes < bytesPerMegabyte / 10
    ? `${(bytes / 1_000).toFixed(1)} kB`
    : `${(bytes / bytesPerMegabyte).toFixed(1)} MB`
}
