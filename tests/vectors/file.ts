// docs/vectors.json: its place, its layout, and the parts of it that tests read.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { Json } from "./described.ts"

/** Path of the file. */
export const vectorsFile = join(import.meta.dirname, "../../docs/vectors.json")

/** A value of at most this number of characters is written on one line. */
const lineMax = 130

/** Returns JSON in which each short value is on one line. */
export function layout(value: Json, indent = ""): string {
  const line = onOneLine(value)
  if (typeof value !== "object" || value === null || indent.length + line.length <= lineMax) return line
  const inner = `${indent}  `
  const parts = Array.isArray(value)
    ? value.map((item: Json) => layout(item, inner))
    : Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${layout(member, inner)}`)
  const [open, close] = Array.isArray(value) ? "[]" : "{}"
  return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`
}

function onOneLine(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item: Json) => onOneLine(item)).join(", ")}]`
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${onOneLine(member)}`,
  )
  return `{${members.join(", ")}}`
}

export function readVectors(): string {
  return readFileSync(vectorsFile, "utf8")
}

export function writeVectors(content: Json): void {
  writeFileSync(vectorsFile, `${layout(content)}\n`)
}

const message = z.object({ what: z.string().min(1), hex: z.string(), json: z.unknown() })
const named = message.extend({ name: z.string() })
const cells = z.looseObject({ parts: z.array(z.looseObject({ kind: z.string() })) })

/** The parts of the file that tests read. */
export const vectorsSchema = z.object({
  statuses: z.record(z.string(), z.string()),
  frames: z.array(named),
  readings: z.array(message),
  fields: z.array(z.object({ kind: z.string() })),
  replicas: z.array(
    z.object({
      name: z.string(),
      replica: z.object({ hex: z.string() }),
      frames: z.array(message.extend({ json: cells, cells: z.unknown() })),
    }),
  ),
  profile20: z.array(named),
})
