// Program of `npm run journal`.
import { parseArgs } from "node:util"
import { inspectJournal, journalReport, recordLines } from "@hawser/server/journal"

const usage = "usage: npm run journal -- FOLDER [--records] [--payloads]\n"

// A reader such as `head` that has seen enough.
process.stdout.on("error", () => process.exit())
process.exitCode = main(process.argv.slice(2))

function main(args: string[]): number {
  const { values, positionals } = parsed(args)
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0) return complain(usage)
  try {
    const onRecord = (record: Parameters<typeof recordLines>[0]): void => print(recordLines(record, values))
    const inspection = inspectJournal(folder, values.records ? { onRecord } : {})
    print(journalReport(inspection))
    if (inspection.segments.length === 0) return complain("the folder holds no journal\n")
    return inspection.refusal === undefined ? 0 : 1
  } catch (error) {
    return complain(`${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function parsed(args: string[]) {
  const off = { type: "boolean", default: false } as const
  try {
    return parseArgs({ args, allowPositionals: true, options: { records: off, payloads: off } })
  } catch {
    return { values: { records: false, payloads: false }, positionals: [] }
  }
}

function complain(sentence: string): 1 {
  process.stderr.write(sentence)
  return 1
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`)
}
